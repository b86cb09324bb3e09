"""The oracle: the pure core run over the journal, with a record store that is a plain dict; so is a
backtest, by other rules."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from schemas.events.campaign import CAMPAIGNS
from schemas.position import Position, Since, Walk
from schemas.record import Record
from streams.broadcasts import Round, begin, round_of, slice_between, walked
from streams.chunk import Outcome, apply_chunk, merge
from streams.context import Context
from streams.due import DueList
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.reach import Reach
from streams.timers import MAX_FIRED

ReadRange = Callable[[str, int, int, int], Sequence[Raw]]


class Followed(NamedTuple):
    position: Position
    outcome: Outcome
    timers: int
    """How many customers' timers were due at the partition's time."""
    walk: Walk
    """Where the partition stands with broadcasts afterwards."""
    reach: Mapping[str, Since] | None
    """How far back its windows reach from then on; None: as before."""


def replay(
    journal: Iterable[Position],
    read_range: ReadRange,
    context_of: Callable[[Position], Context],
    records: dict[str, bytes] | None = None,
) -> Iterator[Outcome]:
    """Run the journalled chunks of one partition again, as they were.

    As `follow`; raises ValueError too when the journal does not begin with its first position,
    fired other timers or told of other broadcasts than were due.
    """
    for number, made in enumerate(follow(journal, read_range, context_of, records), 1):
        position = made.position
        where = _where(position)
        if position.number != number:
            raise ValueError(f"{where} follows {number - 1}")
        if made.timers != position.timers:
            raise ValueError(f"{where} fired {position.timers} timers, {made.timers} were due")
        if made.walk != position.walk:
            raise ValueError(f"{where} told of other broadcasts than were due")
        if made.reach != position.reach:
            raise ValueError(f"{where} says that windows reach back otherwise than they do")
        yield made.outcome


def follow(
    journal: Iterable[Position],
    read_range: ReadRange,
    context_of: Callable[[Position], Context],
    records: dict[str, bytes] | None = None,
) -> Iterator[Followed]:
    """Run the journalled chunks of one partition, perhaps by other rules than they were run by, in
    the order of their numbers.

    `read_range(topic, partition, start, end)` gives the messages of a range in offset order.
    `records` (customer → encoded record) is the store, empty at first; it holds the final records
    afterwards. Raises ValueError when the journal has a gap or goes back in time.
    """
    store: dict[str, bytes] = {} if records is None else records
    dues, time, before, walk, known, reach = DueList(), -1, None, Walk(), 0, Reach({})
    for position in journal:
        if before is not None and position.number != before + 1:
            raise ValueError(f"{_where(position)} follows {before}")
        if position.partition_time < time:
            raise ValueError(f"{_where(position)} goes back in time")
        context = context_of(position)
        begun = begin(walk, time, known, context)
        time, before = position.partition_time, position.number
        upto = slice_between(begun, position.walk)
        walk, known = walked(begun, upto), position.facts.get(CAMPAIGNS, 0)
        due = dues.take(time, MAX_FIRED)
        was, reach = (
            reach.kept,
            reach.advance(context.rules.asked, time, position.number, context.edge),
        )
        context = replace(context, reach=reach)
        outcome = apply_chunk(
            merge(_buffers(position, read_range, context), context),
            lambda customer: Record(customer, store.get(customer)),
            context,
            due,
            _round(begun, upto, context, store),
        )
        reach = reach.after(outcome.fills)
        for customer, record in outcome.records.items():
            assert record.stored is not None
            store[customer] = record.stored
            dues.change(customer, record.header.next_due)
        changed = None if reach.kept is was else reach.kept
        yield Followed(position, outcome, len(due), walk, changed)


def _where(position: Position) -> str:
    return f"journal of partition {position.partition}: position {position.number}"


def _round(begun: Walk, upto: str | None, context: Context, store: Iterable[str]) -> Round:
    """What is under way, with the slice of customers up to one."""
    found = round_of(begun, context)
    if upto == begun.after:
        return found
    visit = sorted(one for one in store if begun.after < one and (upto is None or one <= upto))
    return found._replace(visit=tuple(visit), upto=upto)


def _buffers(position: Position, read_range: ReadRange, context: Context) -> dict[str, list[Entry]]:
    """What a position took of each topic."""
    return {
        topic: [
            read(raw, context.settings)
            for raw in read_range(topic, position.partition, taken.start, taken.end)
        ]
        for topic, taken in position.ranges.items()
        if taken.end > taken.start
    }
