"""Rows of one table, column by column, each with the message that it was made of."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sinks.clickhouse.message import Message, Row, Unstorable

Column = list[object]


@dataclass(frozen=True, slots=True)
class Rows:
    """`columns` in the order of the table's, all as long as `messages`."""

    columns: list[Column]
    messages: list[Message]
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Topic and why (broken, unknown, empty) → how many messages no table holds."""

    def __len__(self) -> int:
        return len(self.messages)

    def row(self, place: int) -> Row:
        return tuple(column[place] for column in self.columns)

    def first(self) -> "Rows":
        """The first row alone."""
        return self._part(slice(1))

    def halves(self) -> "tuple[Rows, Rows]":
        middle = len(self) // 2
        return self._part(slice(middle)), self._part(slice(middle, None))

    def _part(self, which: slice) -> "Rows":
        return Rows([column[which] for column in self.columns], self.messages[which])


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
        turned = [list(column) for column in zip(*found, strict=True)]
        return Rows(turned or [[] for _ in range(columns)], kept, skipped)

    return rows
