"""The oracle: the pure core run over the journal, with a record store that is a plain dict."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from schemas.position import Position
from schemas.record import Record
from streams.chunk import Outcome, apply_chunk, merge
from streams.context import Context
from streams.due import DueList
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.timers import MAX_FIRED

ReadRange = Callable[[str, int, int, int], Sequence[Raw]]


def replay(
    journal: Iterable[Position],
    read_range: ReadRange,
    context_of: Callable[[Position], Context],
    records: dict[str, bytes] | None = None,
) -> Iterator[Outcome]:
    """Run the journalled chunks of one partition again, in the order of their numbers.

    `read_range(topic, partition, start, end)` gives the messages of a range in offset order.
    `records` (customer → encoded record) is the store, empty at first; it holds the final records
    afterwards. Raises ValueError when the journal has a gap, goes back in time, or fired other
    timers than were due.
    """
    store: dict[str, bytes] = {} if records is None else records
    dues, time = DueList(), -1
    for number, position in enumerate(journal, 1):
        where = f"journal of partition {position.partition}: position {position.number}"
        if position.number != number:
            raise ValueError(f"{where} follows {number - 1}")
        if position.partition_time < time:
            raise ValueError(f"{where} goes back in time")
        time = position.partition_time
        due = dues.take(time, MAX_FIRED)
        if len(due) != position.timers:
            raise ValueError(f"{where} fired {position.timers} timers, {len(due)} were due")
        context = context_of(position)
        outcome = apply_chunk(
            merge(_buffers(position, read_range, context), context),
            lambda customer: Record(customer, store.get(customer)),
            context,
            due,
        )
        for customer, record in outcome.records.items():
            assert record.stored is not None
            store[customer] = record.stored
            dues.change(customer, record.header.next_due)
        yield outcome


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
