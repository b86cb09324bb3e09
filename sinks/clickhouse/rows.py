"""Rows of one table, column by column, each with the message that it was made of."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat

from sinks.clickhouse.message import Message, Row, Unstorable
from sinks.clickhouse.messages import Messages, Picked

Column = list[object]


@dataclass(frozen=True, slots=True)
class Rows:
    """`columns` in the order of the table's, all as long as `messages`; None for one that is NULL
    in every row."""

    columns: list[Column | None]
    messages: Picked
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Topic and why (broken, unknown, empty) → how many messages no table holds."""

    def __len__(self) -> int:
        return len(self.messages)

    def row(self, place: int) -> Row:
        return tuple(column and column[place] for column in self.columns)

    def newest(self) -> int:
        """The latest Kafka timestamp, epoch milliseconds."""
        return max(self.messages.taken(self.messages.of.timestamps))

    def first(self) -> "Rows":
        """The first row alone."""
        return self._part(slice(1))

    def halves(self) -> "tuple[Rows, Rows]":
        middle = len(self) // 2
        return self._part(slice(middle)), self._part(slice(middle, None))

    def _part(self, which: slice) -> "Rows":
        return Rows([column and column[which] for column in self.columns], self.messages[which])


def joined(messages: Messages, parts: Sequence[Rows]) -> Rows:
    """All rows of some parts of a table, made of these messages, in their order."""
    places = [*chain.from_iterable(part.messages.places for part in parts)]
    sizes = [*map(len, parts)]
    columns = [_joined(found, sizes) for found in zip(*(p.columns for p in parts), strict=True)]
    return Rows(columns, Picked(messages, places))


def _joined(found: Sequence[Column | None], sizes: Sequence[int]) -> Column | None:
    if not any(found):
        return None
    filled = (one or repeat(None, size) for one, size in zip(found, sizes, strict=True))
    return [*chain.from_iterable(filled)]


def row_by_row(columns: int, make: Callable[[Message], Row]) -> Callable[[Picked], Rows]:
    """How messages become rows of so many columns, where each is made by itself."""

    def rows(messages: Picked) -> Rows:
        found: list[Row] = []
        kept: list[int] = []
        skipped: Counter[tuple[str, str]] = Counter()
        for place, message in zip(messages.places, messages, strict=True):
            try:
                found.append(make(message))
            except Unstorable as problem:
                skipped[message.topic, problem.why] += 1
            else:
                kept.append(place)
        turned: list[Column | None] = [list(column) for column in zip(*found, strict=True)]
        return Rows(turned or [[] for _ in range(columns)], Picked(messages.of, kept), skipped)

    return rows
