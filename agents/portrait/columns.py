"""The columns of a table as they are shown."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from agents.portrait.sparks import sparks
from agents.portrait.spoken import UNKNOWN, amount, spoken, words
from streams.portrait.parts import Amount, Table, Value, sums_by_month

_LONGEST_WORD = 24
"""Cells; a longer one, such as a text of a script without blanks, is broken after all."""
_TONES = {
    "low": "dim",
    "high": "yellow",
    "urgent": "bold red",
    "critical": "bold red",
    "transfer in": "green",
    "complaint raised": "red",
    "card declined": "red",
}
"""What is to catch the eye."""


class Column(NamedTuple):
    name: str
    cells: Sequence[Text]
    is_number: bool = False
    is_whole: bool = False
    """Numbers and times are never broken, texts between words."""

    @property
    def width(self) -> int:
        """In cells: all of it in one line."""
        return max(cell_len(self.name), self._longest)

    @property
    def least(self) -> int:
        """As narrow as it can be read: the heading may take several lines."""
        told = self._longest if self.is_whole else max(map(_longest_word, map(str, self.cells)))
        return max(_longest_word(self.name), told)

    @property
    def _longest(self) -> int:
        return max(cell.cell_len for cell in self.cells)


def columns(part: Table, base: str) -> Iterator[Column]:
    """Those that say something, and not what the one before them said already."""
    before: Sequence[str] = ()
    for column in _all(part, base, the_currency(part, base)):
        told = [cell.plain for cell in column.cells]
        if set(told) != {UNKNOWN} and not (column.is_number and told == before):
            yield column
        before = told


def the_currency(part: Table, base: str) -> str:
    """That of all amounts, so that it is told once; empty if they have several, or none."""
    found = {one.currency or base for row in part.rows for value in row for one in _amounts(value)}
    return found.pop() if len(found) == 1 else ""


def _amounts(value: Value) -> Iterator[Amount]:
    yield from (value,) if isinstance(value, Amount) else sums_by_month(value).values()


def _all(part: Table, base: str, currency: str) -> Iterator[Column]:
    for number, name in enumerate(part.columns):
        values = [row[number] for row in part.rows]
        spread = [months for value in values if (months := sums_by_month(value))]
        if spread and len(spread) == len(values):
            yield from _spread(spread)
        else:
            yield _column(words(name), values, base, currency)


def _column(name: str, values: Sequence[Value], base: str, currency: str) -> Column:
    cells = [_cell(value, base, currency) for value in values]
    is_number = any(isinstance(value, Amount | int) for value in values)
    return Column(name, cells, is_number, is_number or any(isinstance(one, date) for one in values))


def _cell(value: Value, base: str, currency: str) -> Text:
    if isinstance(value, Amount):
        bare = Text(amount(value.amount)) if currency else spoken(value, base)
        bare.stylize(_tone(value.amount))
        return bare
    cell = spoken(value, base)
    cell.stylize(_tone(value) if isinstance(value, int) else _TONES.get(cell.plain, ""))
    return cell


def _tone(number: Decimal | int) -> str:
    return "red" if number < 0 else "" if number else "dim"


def _spread(values: Sequence[Mapping[str, Amount]]) -> Iterator[Column]:
    """Sums by month, the newest first: their course at a glance, then each in whole units."""
    rows = [{name: one.amount for name, one in value.items()} for value in values]
    most = max((one for row in rows for one in row.values()), default=Decimal(0))
    courses = [Text(sparks([*reversed(row.values())], most), "green") for row in rows]
    months = [*rows[0]]
    yield Column(f"{months[-1][-2:]}→{months[0][-2:]}", courses, is_whole=True)
    for month in months:
        yield Column(month, [_rounded(row[month]) for row in rows], True, True)


def _rounded(value: Decimal) -> Text:
    return Text(f"{value:,.0f}", _tone(value)) if value else Text(UNKNOWN, "dim")


def _longest_word(text: str) -> int:
    return min(_LONGEST_WORD, max(map(cell_len, text.split()), default=1))
