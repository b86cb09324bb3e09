"""Which rows a table does not take: found by halving what is refused, while the rest lands.

1. Insert what is left. If it is refused, insert its first half, then its second, down to one row.
2. A row that is refused alone, by an error that is about values, is refused.
3. Any other error proves nothing: a row that landed is inserted again, and if it lands and the
   suspect does not, the suspect is refused. Where nothing landed, ClickHouse is away.
4. Where more rows are refused than land, `limit` in all, the table is wrong and not the rows:
   ClickHouse is away, and nothing becomes a dead letter until rows land again.
"""

from collections.abc import Callable
from typing import NamedTuple

from sinks.clickhouse.errors import AwayError, RefusedError
from sinks.clickhouse.rows import Rows


class Refused(NamedTuple):
    row: Rows
    """One row."""
    problem: RefusedError


class Sieve:
    """Of one table, for as long as it is written to. `insert` raises AwayError or RefusedError."""

    def __init__(self, insert: Callable[[Rows], None], limit: int) -> None:
        self._insert = insert
        self._limit = limit
        self._left: list[Rows] = []
        self._refused: list[Refused] = []
        self._landed: Rows | None = None
        self._excess = 0
        """Refused rows less landed ones, never below zero."""

    def begin(self, rows: Rows) -> None:
        """The next rows; whatever was left of earlier ones is forgotten."""
        self._left, self._refused, self._landed = [rows], [], None

    def sort(self) -> list[Refused]:
        """Until every row landed or is refused; returns these. After an AwayError call it again."""
        while self._left:
            self._try(self._left[-1])
        for suspect in [one for one in self._refused if not one.problem.certain]:
            self._prove(suspect)
        return self._refused

    def _try(self, rows: Rows) -> None:
        try:
            self._insert(rows)
        except RefusedError as problem:
            if self._excess >= self._limit:
                raise AwayError(f"{problem}, for most rows of the table", "refuses_most") from None
            self._left.pop()
            if len(rows) > 1:
                first, second = rows.halves()
                self._left += (second, first)
                return
            self._refused.append(Refused(rows, problem))
            self._excess += 1
            if self._excess >= self._limit:
                self._try_later()
        else:
            self._left.pop()
            self._landed = rows.first()
            self._excess = max(0, self._excess - len(rows))

    def _prove(self, suspect: Refused) -> None:
        if self._landed is None:
            self._try_later()
            raise AwayError(str(suspect.problem))
        try:
            self._insert(self._landed)
        except RefusedError as problem:
            raise AwayError(str(problem)) from None
        try:
            self._insert(suspect.row)
        except RefusedError as problem:
            proven = RefusedError(str(problem), certain=True)
            self._refused[self._refused.index(suspect)] = Refused(suspect.row, proven)
        else:
            self._refused.remove(suspect)

    def _try_later(self) -> None:
        """What was refused may be as good as any row."""
        for row, _ in reversed(self._refused):
            self._left.append(row)
        self._refused = []
