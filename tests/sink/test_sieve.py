"""Whatever rows are refused, the others land, and nothing is refused that might be taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.clickhouse.errors import AwayError, RefusedError
from sinks.clickhouse.message import Message
from sinks.clickhouse.rows import Column, Rows
from sinks.clickhouse.sieve import Sieve
from tests.sink.taken import taken


def rows_of(numbers: list[int]) -> Rows:
    messages = [Message("t", 0, number, 0, b"", []) for number in numbers]
    columns: list[Column | None] = [[*numbers], [str(number) for number in numbers]]
    return Rows(columns, taken(messages).all())


class Table:
    """Takes rows that are not poison, all of a piece or none."""

    def __init__(self, poison: set[int], *, certain: bool = True) -> None:
        self.poison = poison
        self.certain = certain
        self.landed: set[object] = set()
        self.tries = 0
        self.looked_at = -1
        """The first row of the last try that was refused."""
        self.away_at: set[int] = set()
        """At these tries it does not answer."""

    def insert(self, rows: Rows) -> None:
        self.tries += 1
        if self.tries in self.away_at:
            raise AwayError("away")
        if self.poison.intersection(message.offset for message in rows.messages):
            self.looked_at = rows.messages[0].offset
            raise RefusedError("no", certain=self.certain)
        self.landed.update(rows.columns[0])


def sorted_out(sieve: Sieve, rows: Rows) -> list[int]:
    """Offsets of the refused, however often it has to be called again."""
    sieve.begin(rows)
    return sorted_on(sieve)


def sorted_on(sieve: Sieve) -> list[int]:
    for _ in range(100):
        try:
            return [one.row.messages[0].offset for one in sieve.sort()]
        except AwayError:
            continue
    raise AssertionError("never through")


@given(
    size=st.integers(1, 200),
    poison=st.sets(st.integers(0, 199), max_size=20),
    away_at=st.sets(st.integers(1, 200), max_size=20),
    certain=st.booleans(),
)
def test_all_others_land_whatever_fails_meanwhile(
    size: int, poison: set[int], away_at: set[int], certain: bool
) -> None:
    table = Table({*poison, size}, certain=certain)  # one that there is not
    table.away_at = away_at
    found = poison & {*range(size)}
    if found == {*range(size)} and not certain:
        return  # nothing lands, so nothing is known: the next test
    refused = sorted_out(Sieve(table.insert, 1_000), rows_of([*range(size)]))
    assert sorted(refused) == sorted(found)
    assert table.landed == {*range(size)} - found


@given(st.integers(1, 50))
def test_an_error_that_says_nothing_of_values_proves_nothing_alone(size: int) -> None:
    table = Table({*range(size)}, certain=False)
    sieve = Sieve(table.insert, 1_000)
    sieve.begin(rows_of([*range(size)]))
    for _ in range(3):
        with pytest.raises(AwayError):
            sieve.sort()
    table.poison = {0} if size > 1 else set()
    assert [one.row.messages[0].offset for one in sieve.sort()] == sorted(table.poison)
    assert len(table.landed) == size - len(table.poison)


def test_a_suspect_that_is_taken_later_is_no_suspect() -> None:
    table = Table({3}, certain=False)
    sieve = Sieve(table.insert, 10)
    first = table.insert

    def mended_after_the_halves(rows: Rows) -> None:
        if table.landed == {*range(8)} - {3}:
            table.poison = set()
        first(rows)

    sieve = Sieve(mended_after_the_halves, 10)
    assert sorted_out(sieve, rows_of([*range(8)])) == []
    assert table.landed == {*range(8)}


def test_a_table_that_refuses_most_rows_is_wrong_and_not_the_rows() -> None:
    table = Table({*range(10_000)})
    sieve = Sieve(table.insert, 100)
    sieve.begin(rows_of([*range(10_000)]))
    _raises_most(sieve.sort)
    spent = table.tries
    _raises_most(sieve.sort)
    assert table.tries == spent + 1  # a look, and no search through all rows again
    table.poison = {5}
    assert [one.row.messages[0].offset for one in sieve.sort()] == [5]
    assert table.landed == {*range(10_000)} - {5}


@given(
    first=st.integers(0, 1_900),
    length=st.integers(1, 990),
    others=st.sets(st.integers(0, 1_999), max_size=9),
    certain=st.booleans(),
)
def test_a_run_of_broken_rows_does_not_stand_for_the_table(
    first: int, length: int, others: set[int], certain: bool
) -> None:
    """Wherever it is: as long as less than half is broken, all others land and it is refused."""
    poison = {*range(first, min(first + length, 2_000)), *others}
    table = Table(poison, certain=certain)
    sieve = Sieve(table.insert, 100)
    sieve.begin(rows_of([*range(2_000)]))
    assert {one.row.messages[0].offset for one in sieve.sort()} == poison
    assert table.landed == {*range(2_000)} - poison


def test_it_sees_soon_that_a_table_refuses_everything() -> None:
    table = Table({*range(10_000)})
    sieve = Sieve(table.insert, 100)
    sieve.begin(rows_of([*range(10_000)]))
    _raises_most(sieve.sort)
    assert table.tries < 1_000


def test_one_row_that_stays_broken_does_not_keep_a_mended_table_waiting() -> None:
    table = Table({*range(1_000)})
    sieve = Sieve(table.insert, 10)
    sieve.begin(rows_of([*range(1_000)]))
    _raises_most(sieve.sort)
    _raises_most(sieve.sort)
    broken = table.looked_at
    table.poison = {broken}
    assert sorted_on(sieve) == [broken]


def test_a_proof_inserts_a_landed_row_twice_however_many_suspects_there_are() -> None:
    table = Table({*range(0, 1_000, 50)}, certain=False)
    tried: Counter[int] = Counter()

    def insert(rows: Rows) -> None:
        table.insert(rows)
        tried.update(message.offset for message in rows.messages)

    sieve = Sieve(insert, 100)
    sieve.begin(rows_of([*range(1_000)]))
    assert len(sieve.sort()) == 20
    assert sum(tried.values()) == 980 + 2


def test_single_refused_rows_add_up_until_rows_land() -> None:
    table = Table({*range(1, 100)})
    sieve = Sieve(table.insert, 4)
    for number in (1, 2, 3):
        assert sorted_out(sieve, rows_of([number])) == [number]
    assert sorted_out(sieve, rows_of([0])) == []  # one landed: two in excess
    assert sorted_out(sieve, rows_of([4])) == [4]
    sieve.begin(rows_of([5]))
    _raises_most(sieve.sort)


def test_one_row_in_ten_thousand_is_found_in_few_tries() -> None:
    table = Table({7_777})
    assert sorted_out(Sieve(table.insert, 100), rows_of([*range(10_000)])) == [7_777]
    assert table.tries < 2 * 15


def _raises_most(call: Callable[[], object]) -> None:
    with pytest.raises(AwayError) as caught:
        call()
    assert caught.value.why == "refuses_most"
