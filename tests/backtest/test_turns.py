"""Which version of a rule an event met, where no journal tells it."""

import json

from agents.backtest.stood import History, Stretch
from agents.backtest.turns import InTurn
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
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
