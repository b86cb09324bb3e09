"""What is legal in a rule and hardly meant is told by `rules check`, and changes nothing else."""

from pathlib import Path

import pytest

from agents.cli.main import run
from agents.rules import doubts, read_rules
from streams.context import CoreSettings
from tests.rules.test_wrong_rules import CONDITION, GOOD

CORE = CoreSettings(partitions=1)
DOUBTFUL = [
    (
        "rate('mortgage') > 3.1",
        5,
        "this is hardly ever true: a rate is a fraction, and 3.1% is 0",
    ),
    ("any(loans, where=rate > 5)", 22, "a rate is a fraction"),
    ("any(family, where=age < 0)", 23, "an age is 0 or more"),
    ("share(base_amount, card.settled, 7d, of=category == '5641') > 20", 5, "20% is 0.2"),
    ("times >= 0", 5, "this is always true, where it is known"),
    ("amount > 3 and times > 0", 20, "this is always true"),
    ("direction == 'in' or direction == 'out'", 5, "this is always true"),
    (
        "count(page.viewed, 7d) > count(page.viewed, 30d)",
        5,
        "hardly ever true: a longer window has",
    ),
    ("times < count(transfer.completed, 7d)", 5, "a longer window has what a shorter one has"),
    (
        "counterparty_country != last(counterparty_country, transfer.completed, 90d)",
        5,
        "hardly ever true: the event that is looked at is counted, too: prior=true leaves it out",
    ),
    (
        "sum(amount, transfer.completed, 30d) > 100_000",
        5,
        "amounts in different currencies are taken together: base_amount is in the bank's own",
    ),
    (
        "times > 1 and share(amount, transfer.completed, 7d, of=direction == 'in') > 0.5",
        19,
        "or ask for one, as in where=currency == 'USD'",
    ),
    ("amount == amount", 5, "this is always true, where it is known"),
    ("count(page.viewed, 7d, where=page == page) > 3", 34, "this is always true"),
    ("counterparty_country == 'hk'", 29, "hk is no code of a country: two capital letters, as in"),
    ("counterparty_country == 'hk'", 29, "as in 'CN'; did you mean HK?"),
    ("fx('RMB') > 7", 8, "RMB is no code of a currency: three capital letters, as in 'USD'"),
    ("currency == 'RMB'", 17, "RMB is no code of a currency"),
    ("profile.scores.chrn > 5", 5, "no rule has the score chrn; did you mean churn?"),
]
MEANT = [
    "times == 1",
    "count(transfer.completed, 30d, prior=true) == 0",
    "count(transfer.completed, 30d, where=amount > 5) == 0",
    "count(transfer.completed, last month) == 0",
    "count(transfer.reversed, 30d) == 0",
    "sum(base_amount, transfer.completed, 30d) < 0",
    "sum(amount, transfer.completed, 30d, where=currency == 'USD') > 5",
    "base_amount >= max(base_amount, transfer.completed, 30d)",
    "base_amount > max(base_amount, transfer.completed, 30d, prior=true)",
    "base_amount > max(base_amount, transfer.completed, 30d, where=direction == 'in')",
    "base_amount > max(base_amount, transfer.completed, last month)",
    "base_amount > max(base_amount, card.settled, 30d)",
    "amount > max(base_amount, transfer.completed, 30d)",
    "base_amount < max(base_amount, transfer.completed, 30d)",
    "amount < 0 or base_amount >= 0",
    "direction == 'in' and counterparty_country != 'CN'",
    "share(page.viewed, 7d, of=page == 'x') == 1",
    "share(page.viewed, 7d, of=page == 'x') - share(card.settled, 7d, of=category == '1') > 1",
    "count(page.viewed, 7d) / count(page.viewed, 30d) > 1",
    "streak(logged.in, 7d, without=page.viewed) == 32",
    "count(page.viewed, 7d) > count(page.viewed, 30d, where=page == 'x')",
    "count(page.viewed, 7d) >= count(page.viewed, 30d)",
    "count(page.viewed, 7d) > count(page.viewed, 30d, prior=true)",
    "count(transfer.completed, 7d) > count(transfer.completed, last month)",
    "sum(base_amount, transfer.completed, 7d) > sum(base_amount, transfer.completed, 30d)",
    "amount == base_amount",
    "fx('EUR') > 7 and rate('mortgage') < 0.05 and rate('mortgage') > -0.05",
    "profile.opened_on >= '2026-01-01' and profile.opened_on < '2027-01-01'",
    "profile.tier == 'gold' or profile.tier == 'diamond'",
    "'golf' in tags and 'tea' not in tags",
    "amount > 5 and base_amount < 5",
    "default(profile.scores.churn, 0) < 50",
    "any(cards, where=statement_currency == '')",
    "true",
]


@pytest.mark.parametrize(("condition", "column", "words"), DOUBTFUL)
def test_what_is_hardly_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], condition: str, column: int, words: str
) -> None:
    path = tmp_path / "a-rule.yaml"
    path.write_text(GOOD.replace(CONDITION, condition))
    assert run(["rules", "check", str(path)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("ok: 1 rules")
    (line,) = [one for one in said.err.splitlines() if one.startswith("in doubt: ")]
    assert f"in doubt: {path}:13:{column}: if: " in line
    assert words in line


def test_days_that_are_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a-rule.yaml"
    path.write_text(GOOD.replace("cooldown: 1d", "active: {from: 2020-01-01, until: 2020-03-01}"))
    assert run(["rules", "check", str(path)]) == 0
    said = capsys.readouterr().err
    assert f"in doubt: {path}:19:35: active.until: that day is over" in said
    path.write_text(path.read_text().replace("until: 2020", "until: 2999"))
    assert run(["rules", "check", str(path)]) == 0
    assert "in doubt" not in capsys.readouterr().err


@pytest.mark.parametrize("condition", MEANT)
def test_what_may_be_meant(tmp_path: Path, condition: str) -> None:
    path = tmp_path / "a-rule.yaml"
    path.write_text(GOOD.replace("if: " + CONDITION, f'if: "{condition}"'))
    _, files = read_rules([path])
    assert not [*doubts(files, CORE)]


def test_a_let_may_have_the_name_of_what_it_is_made_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a-rule.yaml"
    let = "let:\n  placed_on: max(placed_on, deposits, where=principal > 0)\n"
    path.write_text(GOOD.replace("let:\n", let).replace(CONDITION, "known(placed_on)"))
    assert run(["rules", "check", str(path)]) == 0, capsys.readouterr().err
    assert "in doubt" not in capsys.readouterr().err


def test_nothing_is_in_doubt_of_the_rules_that_ship(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "check"]) == 0
    assert "in doubt" not in capsys.readouterr().err


WAITS = """\
id: a-rule
version: 1
title: {en: A, zh: 甲}
kind: care
owner: Tests
status: live
on: deposit.placed
wait: {days: 7, before: matures_on}
if: count(deposit.placed, 30d) == 0
then: {task: {text: {en: "one", zh: 甲}}}
"""


def test_when_a_date_has_come_the_event_may_be_out_of_the_window(tmp_path: Path) -> None:
    path = tmp_path / "a-rule.yaml"
    path.write_text(WAITS)
    read_rules([path])
