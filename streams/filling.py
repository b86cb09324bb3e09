"""Filling a record's windows with what came before their rule.

A state that is sent holds what the customer's events before the cut would have made, the record's
own holds what came since: the two become one. What was reversed meanwhile of what came before is
noted (see RuleSet.retract), and taken out first. Each key is filled once, for each life of it: a
share that comes again changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from schemas.activity import unpack_reversible
from schemas.envelope import VIPCARE, from_millis
from schemas.filling import Fill, FillData
from schemas.packed import pack
from schemas.record import Record
from streams.context import Context
from streams.identity import derive_id

_unpack: Callable[[bytes], list[Any]] = msgspec.msgpack.Decoder(list[Any]).decode


def fill(record: Record, one: Fill, context: Context) -> bool:
    """Whether there was something left to fill; if not, the record is as it was."""
    reach, rules, activity = context.reach, context.rules, record.activity
    numbers = {
        key: number
        for key, number in one.data.numbers.items()
        if reach.lacks(key, number) and activity.filled.get(key) != number
    }
    if not numbers:
        return False
    if activity.rules != rules.mark or activity.ruled != reach.number:
        rules.forget_others(record, reach)
    states = one.data.states
    found = {key: _unpack(states[key]) if key in states else [] for key in numbers}
    rules.fill(record, found, _era(record, one.data.since), reach)
    activity.filled |= numbers
    activity.owed = [each for each in activity.owed if each.key not in numbers]
    activity.began |= dict.fromkeys(numbers.keys() & activity.began.keys(), 0)
    record.header.sequence += 1
    return True


def states_of(history: Record, keys: Iterable[str]) -> dict[str, bytes]:
    """What fills a customer's windows. `history` is a record as its events before the cut make it
    under the rules in force."""
    windows = history.windows
    return {key: pack(state) for key in keys if (state := windows.get(key)) is not None}


def share_of(
    customer: str, numbers: Mapping[str, int], since: int, at: int, states: dict[str, bytes]
) -> Fill:
    """See FillData. `at` is now, epoch milliseconds."""
    return _message(customer, (customer,), numbers, since, at, states)


def done(partition: int, numbers: Mapping[str, int], since: int, at: int) -> Fill:
    """Behind the shares of a partition's customers: all have theirs."""
    return _message("", ("", str(partition)), numbers, since, at, {})


def _message(
    customer: str,
    named: tuple[str, ...],
    numbers: Mapping[str, int],
    since: int,
    at: int,
    states: dict[str, bytes],
) -> Fill:
    by_key = dict(sorted(numbers.items()))
    return Fill(
        id=derive_id("fill", *named, repr(by_key), str(since)),
        source=VIPCARE,
        subject=customer,
        time=from_millis(at),
        data=FillData(numbers=by_key, since=since, states=states),
    )


def _era(record: Record, since: int) -> int:
    """The first era from which on a window that reaches back so far holds every event that is
    kept for its reversal."""
    activity = record.activity
    kept = map(unpack_reversible, (*activity.transfers, *activity.payments))
    return max((one.era + 1 for one in kept if one.at < since), default=0)
