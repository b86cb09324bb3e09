"""Texts show what is one of a closed list in words of their language; values stay as they are."""

from typing import Any

import pytest

from schemas.effects import Alert
from streams.choices import in_words
from streams.inputs import Raw
from tests.core.strategies import NOW, message
from tests.core.test_actions import WHO, rule, run

TRANSFER = {"transfer": "T1", "account": "A1", "amount": "9.00", "currency": "CNY"}
OUT = TRANSFER | {"direction": "out", "base_amount": "9.00"}
TEXT = {"en": "{direction} {same} {purpose}", "zh": "{direction} {same} {purpose}"}
HEARS: dict[str, Any] = {"on": "transfer.completed", "let": {"same": "direction"}}
ALERT = {"alert": {"text": TEXT, "title": TEXT}}
SAID = {"en": "out out urgent", "zh": "转出 转出 urgent"}


def sent(event_type: str, number: int, data: dict[str, Any], at: int = NOW) -> Raw:
    value = message(event_type, data, at=at, customer=WHO, event_id=str(number))
    return Raw("bank.core", 0, number, WHO.encode(), value)


COMPLETED = sent("transfer.completed", 1, OUT | {"purpose": "urgent"})
REVERSED = sent("transfer.reversed", 2, OUT)


def test_a_choice_is_shown_in_words_and_a_free_text_as_it_is() -> None:
    made = run([rule("a", "amount > 5", ALERT, **HEARS)], COMPLETED)
    (alert,) = (one.data for one in made if isinstance(one, Alert))
    assert alert.text == alert.title == SAID
    assert {alert.values["direction"], alert.values["same"]} == {"out"}


def test_so_it_is_in_what_is_amended() -> None:
    rules = [rule("a", "amount > 5", ALERT, amendable=True, **HEARS)]
    made = run(rules, COMPLETED, REVERSED)
    alerts = [one.data for one in made if isinstance(one, Alert)]
    assert [one.change for one in alerts] == ["raised", "retracted"]
    assert [one.text for one in alerts] == [SAID, SAID]


def test_so_it_is_after_a_wait() -> None:
    wait = {"for": "30m", "without": "logged.in"}
    made = run([rule("a", "amount > 5", ALERT, wait=wait, **HEARS)], COMPLETED, due=NOW + 1_800_000)
    (alert,) = (one.data for one in made if isinstance(one, Alert))
    assert alert.text == SAID


def test_so_it_is_in_the_reasons_of_a_score() -> None:
    signal = {"points": 9, "if": "amount > 5", "reason": {"en": "{direction}", "zh": "{direction}"}}
    score = {"name": "s", "threshold": 9, "release": 1, "signals": [signal]}
    told = {"alert": {"text": {"en": "{reasons}", "zh": "{reasons}"}}}
    made = run([rule("a", "true", told, score=score, **HEARS)], COMPLETED)
    (alert,) = (one.data for one in made if isinstance(one, Alert))
    assert alert.text == {"en": "out", "zh": "转出"}
    assert alert.values["reasons"] == "out"


@pytest.mark.parametrize(
    ("value", "language", "told"),
    [
        ("no_interest", "en", "no interest"),
        ("present", "zh", "现场刷卡"),
        ("present", "de", "present"),
        ("–", "zh", "–"),
    ],
)
def test_what_has_no_words_stays(value: str, language: str, told: str) -> None:
    assert in_words(value, language) == told
