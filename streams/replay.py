"""The oracle: the pure core run over the journal, with a record store that is a plain dict."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from schemas.position import Position
from schemas.record import Record
from streams.chunk import Outcome, apply_chunk, merge
from streams.context import Context
from streams.inputs import Raw
from streams.intake import read


def replay(
    journal: Iterable[Position],
    read_range: Callable[[str, int, int, int], Sequence[Raw]],
    context_of: Callable[[Position], Context],
    records: dict[str, bytes] | None = None,
) -> Iterator[Outcome]:
    """Run the journalled chunks of one partition again, in the order of their numbers.

    `read_range(topic, partition, start, end)` gives the messages of a range in offset order.
    `records` (customer → encoded record) is the store; it holds the final records afterwards.
    Raises ValueError when the journal has a gap.
    """
    store: dict[str, bytes] = {} if records is None else records
    for number, position in enumerate(journal, 1):
        if position.number != number:
            raise ValueError(
                f"journal of partition {position.partition}: "
                f"position {position.number} follows {number - 1}"
            )
        context = context_of(position)
        buffers = {
            topic: [
                read(raw, context.settings)
                for raw in read_range(topic, position.partition, taken.start, taken.end)
            ]
            for topic, taken in position.ranges.items()
            if taken.end > taken.start
        }
        outcome = apply_chunk(
            merge(buffers, context), lambda customer: Record(customer, store.get(customer)), context
        )
        for customer, record in outcome.records.items():
            assert record.stored is not None
            store[customer] = record.stored
        yield outcome
