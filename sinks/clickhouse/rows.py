"""Rows of one table, column by column, each with the message that it was made of."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from operator import attrgetter
from typing import TypeVar

from sinks.clickhouse.message import Message, Row, Unstorable

Column = list[object]
T = TypeVar("T")
_timestamp: Callable[[Message], int] = attrgetter("timestamp")


@dataclass(frozen=True, slots=True)
class Rows:
    """`columns` in the order of the table's, all as long as `messages`; None for one that is NULL
    in every row."""

    columns: list[Column | None]
    messages: list[Message]
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Topic and why (broken, unknown, empty) → how many messages no table holds."""

    def __len__(self) -> int:
        return len(self.messages)

    def row(self, place: int) -> Row:
        return tuple(column and column[place] for column in self.columns)

    def newest(self) -> int:
        """The latest Kafka timestamp, epoch milliseconds."""
        return max(map(_timestamp, self.messages))

    def first(self) -> "Rows":
        """The first row alone."""
        return self._part(slice(1))

    def halves(self) -> "tuple[Rows, Rows]":
        middle = len(self) // 2
        return self._part(slice(middle)), self._part(slice(middle, None))

    def _part(self, which: slice) -> "Rows":
        return Rows([column and column[which] for column in self.columns], self.messages[which])


def shared(values: Sequence[T]) -> list[T]:
    """Equal values as one object, where there are few: the others are let go while they are in the
    processor's cache, and the driver looks at one that it knows."""
    first: dict[T, T] = {}
    return [*map(first.setdefault, values, values)]


def joined(parts: Sequence[Rows]) -> Rows:
    """All rows of some parts of a table, in their order."""
    messages = [*chain.from_iterable(part.messages for part in parts)]
    sizes = [*map(len, parts)]
    columns = [_joined(found, sizes) for found in zip(*(p.columns for p in parts), strict=True)]
    return Rows(columns, messages)


def _joined(found: Sequence[Column | None], sizes: Sequence[int]) -> Column | None:
    if not any(found):
        return None
    filled = (one or repeat(None, size) for one, size in zip(found, sizes, strict=True))
    return [*chain.from_iterable(filled)]


def row_by_row(columns: int, make: Callable[[Message], Row]) -> Callable[[Sequence[Message]], Rows]:
    """How messages become rows of so many columns, where each is made by itself."""

    def rows(messages: Sequence[Message]) -> Rows:
        found: list[Row] = []
        kept: list[Message] = []
        skipped: Counter[tuple[str, str]] = Counter()
        for message in messages:
            try:
                found.append(make(message))
            except Unstorable as problem:
                skipped[message.topic, problem.why] += 1
            else:
                kept.append(message)
        turned: list[Column | None] = [list(column) for column in zip(*found, strict=True)]
        return Rows(turned or [[] for _ in range(columns)], kept, skipped)

    return rows
