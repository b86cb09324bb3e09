"""Fill a table from the beginning of its topics; tell how far it is, and what was refused."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

from sinks.clickhouse.address import Address
from sinks.clickhouse.errors import AwayError
from sinks.clickhouse.messages import Place
from sinks.clickhouse.rebuild.topics import Topics
from sinks.clickhouse.sieve import Refused, Sieve
from sinks.clickhouse.tables import Table
from sinks.clickhouse.writer import Writer

_BATCH = 10_000
_TRIES = 5
_TOLD = 5


@dataclass(frozen=True, slots=True)
class Progress:
    read: int
    of: int
    """Offsets, gaps included."""
    rows: int


@dataclass(frozen=True, slots=True)
class Filled:
    rows: int = 0
    refused: int = 0
    first: tuple[str, ...] = ()
    """Of the first refused rows, where each stands and why: `TOPIC[PARTITION]@OFFSET: why`."""

    def more(self, rows: int, refused: Sequence[Refused]) -> "Filled":
        """With another batch, of so many rows."""
        told = [_told(one) for one in refused[: _TOLD - len(self.first)]]
        landed = rows - len(refused)
        return Filled(self.rows + landed, self.refused + len(refused), (*self.first, *told))


def fill(
    address: Address,
    topics: Topics,
    table: Table,
    name: str,
    ranges: Mapping[Place, tuple[int, int]],
    say: Callable[[Progress], None],
) -> Filled:
    """`name`, which has the columns of `table`, from `ranges`: place → first offset, and the one
    behind the last. Raises AwayError and RebuildError."""
    begins = {place: begin for place, (begin, _) in ranges.items()}
    ends = {place: end for place, (_, end) in ranges.items()}
    total = sum(max(end - begin, 0) for begin, end in ranges.values())
    writer = Writer(address)
    sieve = Sieve(partial(writer.insert, table, name=name), _BATCH)
    at, filled = dict(begins), Filled()
    try:
        for batch in topics.read(begins, ends, _BATCH):
            if found := table.rows(batch.all()):
                sieve.begin(found)
                filled = filled.more(len(found), _persist(sieve))
            at |= batch.ends()
            read = sum(at[place] - begin for place, begin in begins.items())
            say(Progress(read, total, filled.rows))
    finally:
        writer.close()
    return filled


def _persist(sieve: Sieve) -> list[Refused]:
    """A moment's absence is waited for; a longer one ends the rebuild."""
    for number in count(1):
        try:
            return sieve.sort()
        except AwayError:
            if number == _TRIES:
                raise
            time.sleep(number)
    raise AssertionError("it counts for ever")


def _told(refused: Refused) -> str:
    [message] = refused.row.messages
    return f"{message.topic}[{message.partition}]@{message.offset}: {refused.problem}"
