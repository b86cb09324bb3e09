"""Which rows a table does not take: found by halving what is refused, while the rest lands.

1. Insert what is left. If it is refused, insert its first half, then the first half of that, down
   to one row. Then the largest piece that is left: so the rows that are tried lie all over the
   batch, and a run of broken ones does not stand for all.
2. A row that is refused alone, by an error that is about values, is refused.
3. Any other error proves nothing: a row that landed is inserted again, before all such suspects and
   after them. Where it lands and they do not, they are refused; where nothing landed, ClickHouse is
   away.
4. Where more rows are refused than land, `limit` in all, the table is wrong and not the rows:
   ClickHouse is away, and nothing becomes a dead letter until rows land again.
"""

from bisect import insort
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
        """The last one comes next; the others stand by their size."""
        self._refused: list[Refused] = []
        self._landed: Rows | None = None
        self._excess = 0
        """Refused rows less landed ones; at the beginning of a batch not below zero."""

    def begin(self, rows: Rows) -> None:
        """The next rows; whatever was left of earlier ones is forgotten."""
        self._left, self._refused, self._landed = [rows], [], None
        self._excess = max(0, self._excess)

    def sort(self) -> list[Refused]:
        """Until every row landed or is refused; returns these, in the order of their places. After
        an AwayError call it again."""
        while self._left:
            self._try(self._left[-1])
        if suspects := [one for one in self._refused if not one.problem.certain]:
            self._prove(suspects)
        return sorted(self._refused, key=lambda one: one.row.messages[0][:3])

    def _try(self, rows: Rows) -> None:
        try:
            self._insert(rows)
        except RefusedError as problem:
            if self._excess >= self._limit:
                self._left.insert(0, self._left.pop())  # the next look is at another one
                raise AwayError(f"{problem}, for most rows of the table", "refuses_most") from None
            self._left.pop()
            if len(rows) > 1:
                first, second = rows.halves()
                insort(self._left, second, key=len)
                self._left.append(first)
                return
            self._refused.append(Refused(rows, problem))
            self._excess += 1
            if self._excess >= self._limit:
                self._try_later()
        else:
            self._left.pop()
            self._landed = rows.first()
            self._excess -= len(rows)

    def _prove(self, suspects: list[Refused]) -> None:
        self._prove_well(suspects[0].problem)
        again = [one for one in map(self._again, suspects) if one is not None]
        self._prove_well(suspects[0].problem)
        self._refused = [one for one in self._refused if one.problem.certain] + again

    def _prove_well(self, problem: RefusedError) -> None:
        """The table takes rows at this moment. Raises AwayError."""
        if self._landed is None:
            self._try_later()
            raise AwayError(str(problem))
        try:
            self._insert(self._landed)
        except RefusedError as other:
            raise AwayError(str(other)) from None

    def _again(self, suspect: Refused) -> Refused | None:
        """It, proven if the table is well; None if it landed."""
        try:
            self._insert(suspect.row)
        except RefusedError as problem:
            return Refused(suspect.row, RefusedError(str(problem), certain=True))
        self._refused.remove(suspect)
        return None

    def _try_later(self) -> None:
        """What was refused may be as good as any row."""
        self._left += [row for row, _ in self._refused]
        self._refused = []
