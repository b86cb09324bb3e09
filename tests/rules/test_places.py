"""What is wrong about one key is told at that key."""

from pathlib import Path

import pytest

from tests.rules.test_wrong_rules import GOOD, problems_of

SIGNAL = "{points: 5, if: base_amount > 5, reason: {en: A, zh: 甲}}"
SCORE = "score: {name: a, threshold: %s, release: %s, signals: [" + SIGNAL + "]}"
EXAMPLE = "examples: [{title: a, given: [%s], expect: [%s]}]"
TRANSFER = "{at: 2026-01-05, event: transfer.completed%s}"

# What takes the place of the cooldown in line 19, the column, the key and words.
TOGETHER = [
    ("holdout: 10", 10, "holdout", "a risk rule has no holdout"),
    (SCORE % (5, 9), 41, "score.release", "release should not be above threshold"),
    (SCORE % (9, 5), 29, "score.threshold", "all signals together have 5 points"),
    (
        EXAMPLE % (TRANSFER % ", times: 3", "{}"),
        82,
        "examples.0.given.0.times",
        "times and every go together",
    ),
    (
        EXAMPLE % (TRANSFER % "", "{alert: a, at: +2h}"),
        101,
        "examples.0.expect.0.at",
        "say when as a day",
    ),
]


@pytest.mark.parametrize(("written", "column", "key", "words"), TOGETHER)
def test_keys_that_are_wrong_together(
    tmp_path: Path, written: str, column: int, key: str, words: str
) -> None:
    found = problems_of(tmp_path, GOOD.replace("cooldown: 1d", written))
    (told,) = [one for one in found if words in one]
    assert told.startswith(f"19:{column}: {key}: "), told


@pytest.mark.parametrize(
    ("good", "wrong", "said"),
    [
        ("cooldown: 1d", ": 1d", "19:1: no key stands before this colon: a key is a word"),
        ("cooldown: 1d", "7: 1d", "19:1: 7 is no key here: a key is a word"),
        ("cooldown: 1d", "[a]: 1d", "is no key here: a key is a word"),
        ("  alert:\n", "  : a\n  alert:\n", "15:3: then: no key stands before this colon"),
        ("      zh: ", "      : ", "18:7: then.alert.text: no key stands before this colon"),
        ("  times: ", "  : ", "9:3: let: no key stands before this colon"),
    ],
)
def test_a_key_that_is_none(tmp_path: Path, good: str, wrong: str, said: str) -> None:
    found = problems_of(tmp_path, GOOD.replace(good, wrong))
    assert any(said in one for one in found), found
