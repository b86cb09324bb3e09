"""Which version of a rule an event met, where no journal tells it."""

import json
from datetime import UTC
from typing import Any

import pytest

from agents.backtest.afterwards import afterwards
from agents.backtest.stood import History, Stretch
from agents.backtest.turns import InTurn
from agents.backtest.why import asked_about
from schemas.rules import RuleDefinition
from streams.backtest.facts import FactsInTime
from streams.backtest.play import play_in_turn
from streams.context import CoreSettings
from streams.durations import DAY_MS
from streams.inputs import Raw
from streams.intake import Entry, read
from tests.backtest.test_command import transfer
from tests.lane.rules import rule

CORE = CoreSettings(partitions=1)


def entry(number: int) -> Entry:
    """Of the second of this number in 1970."""
    event = json.loads(transfer(number, 1, 1)) | {"time": f"1970-01-01T00:00:{number:02}Z"}
    return read(Raw("bank.core", 0, number, b"C1", json.dumps(event).encode()), CORE)


def places(*sent: int) -> list[int]:
    """In the history of a rule that came into force after 30 seconds, of events of the first
    seconds that were sent then."""
    definition = RuleDefinition.model_validate(rule("a"))
    entries = [entry(number) for number in range(len(sent))]
    times = {("bank.core", number): 1_000 * at for number, at in enumerate(sent)}
    history = History([Stretch(30_000, 1, definition)])
    in_turn = InTurn(CORE, [], history, None, times, entries)
    return [in_turn.place(one.input) for one in entries if one.input]


def test_what_was_sent_after_the_rule_met_it() -> None:
    assert places(1, 2, 31, 32) == [0, 0, 1, 1]
    assert places(31, 32, 33) == [1, 1, 1]


def test_what_came_late_and_is_played_at_its_time_turns_nothing() -> None:
    assert places(1, 35, 3, 36) == [0, 0, 0, 1]


def test_where_nobody_says_when_it_was_sent_its_time_counts() -> None:
    definition = RuleDefinition.model_validate(rule("a"))
    entries = [entry(number) for number in (29, 30)]
    history = History([Stretch(30_000, 1, definition)])
    in_turn = InTurn(CORE, [], history, None, {}, entries)
    assert [in_turn.place(one.input) for one in entries if one.input] == [0, 1]


def deposit_placed() -> Entry:
    data = {"deposit": "D1", "account": "A1", "principal": "5", "currency": "CNY", "rate": "0.02"}
    event = json.loads(transfer(1, 1, 1)) | {
        "type": "deposit.placed",
        "time": "1970-01-01T00:00:00Z",
    }
    event |= {"data": data | {"matures_on": "1970-01-20"}}
    return read(Raw("bank.core", 0, 0, b"C1", json.dumps(event).encode()), CORE)


def later(number: int) -> Entry:
    """Of a day in 1970."""
    event = json.loads(transfer(number, 1, 1)) | {"time": f"1970-01-{number:02}T00:00:00Z"}
    return read(Raw("bank.core", 0, number, b"C1", json.dumps(event).encode()), CORE)


def campaign(day: int) -> tuple[int, Raw]:
    """Likewise."""
    data = {"campaign": "golf", "category": "golf", "title_zh": "高", "title_en": "Golf"}
    event = json.loads(transfer(1, 1, 1)) | {"time": f"1970-01-{day:02}T00:00:00Z"}
    event |= {"id": "golf", "type": "campaign.announced", "subject": "campaign:golf"}
    event |= {"data": data | {"starts_on": "1970-03-01", "ends_on": "1970-03-02"}}
    raw = Raw("bank.campaign", 0, 0, b"campaign:golf", json.dumps(event).encode())
    return (day - 1) * DAY_MS, raw


@pytest.mark.parametrize("is_heard_of", [True, False])
def test_a_wait_that_another_version_dates_anew(is_heard_of: bool) -> None:
    """It ends when that says, and is told with the event after which it began: whether the customer
    is heard of before that, or told of something."""
    entries = [deposit_placed()] + ([later(6)] if is_heard_of else [])
    facts = FactsInTime([] if is_heard_of else [campaign(6)])
    then = {"alert": {"text": {"en": "A", "zh": "甲"}}}
    waits: dict[str, Any] = {"on": "deposit.placed", "if": "principal > 1", "then": then}
    versions = [
        RuleDefinition.model_validate(
            rule("due", number, **waits, wait={"days": days, "before": "matures_on"})
        )
        for number, days in ((1, 1), (2, 9))
    ]
    since = (-1, 5 * DAY_MS - 1)
    history = History([Stretch(at, 1, one) for at, one in zip(since, versions, strict=True)])
    asked = asked_about(CORE, versions[0], versions, ("/bank/core", "1"))
    golf = rule("golf", on="campaign.announced", then=then, **{"if": "category == 'tea'"})
    in_turn = InTurn(CORE, [RuleDefinition.model_validate(golf)], history, None, {}, entries)
    end = 25 * DAY_MS
    play_in_turn("C1", in_turn.turns(asked, facts, end))
    inputs = [one.input for one in entries if one.input]
    answers = [(one.when, one.version) for one in asked.answers.values()]
    assert answers == [("wait", 1), ("timer", 2)]
    assert [*afterwards(inputs[0], asked, inputs, versions[0], UTC, end)] == [
        "its wait until 1970-01-19 09:00 was moved to 1970-01-11 09:00 by due@2, which waits for "
        "another time"
    ]
