"""A portrait on the screen: aligned whatever script a name is in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from rich.box import ROUNDED, SIMPLE_HEAD
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from agents.terminal import in_language, plain
from streams.portrait.parts import Amount, Fact, Facts, Portrait, Table, Value

_UNKNOWN = "–"
_LONGEST = 2_000
_SHORT = 36
"""Cells of a fact that shares its line."""


def picture(portrait: Portrait) -> RenderableType:
    """The whole portrait, part below part; at the end, which tables are empty."""
    base = portrait.base_currency
    shown = [_part(part, base) for part in portrait.parts if not _is_empty(part)]
    empty = [part.name for part in portrait.parts if isinstance(part, Table) and not part.rows]
    if empty:
        shown.append(Text(f"none: {', '.join(map(_words, empty))}", "dim"))
    spaced = [one for part in shown for one in (part, Text())][:-1]
    return Panel(
        Group(*spaced),
        title=Text.assemble("customer ", (portrait.customer, "bold")),
        title_align="left",
        box=ROUNDED,
        padding=(1, 2),
    )


def _is_empty(part: Facts | Table) -> bool:
    return not (part.facts if isinstance(part, Facts) else part.rows)


def _part(part: Facts | Table, base: str) -> RenderableType:
    heading = Text(_words(part.name), "bold cyan")
    if isinstance(part, Facts):
        return Group(heading, _facts(part.facts, base))
    more = [Text(f"and {part.left_out:,} more", "dim")] if part.left_out else []
    return Group(heading, _table(part, base), *more)


def _facts(facts: Sequence[Fact], base: str) -> RenderableType:
    """Short ones beside each other, each long one on a line of its own."""
    pairs = [_pair(fact, base) for fact in facts]
    short = [pair for pair in pairs if pair.cell_len <= _SHORT]
    return Group(
        Columns(short, padding=(0, 3), column_first=True),
        *(pair for pair in pairs if pair.cell_len > _SHORT),
    )


def _pair(fact: Fact, base: str) -> Text:
    return Text.assemble((f"{plain(_title(fact))} ", "dim"), spoken(fact.value, base))


def _title(fact: Fact) -> str:
    return in_language(fact.title) if fact.title else _words(fact.name)


def _table(part: Table, base: str) -> Grid:
    grid = Grid(box=SIMPLE_HEAD, header_style="dim", show_edge=False, pad_edge=False)
    for number, name in enumerate(part.columns):
        numbers = any(isinstance(row[number], Amount | int) for row in part.rows)
        grid.add_column(_words(name), justify="right" if numbers else "left", overflow="fold")
    for row in part.rows:
        grid.add_row(*(spoken(value, base) for value in row))
    return grid


def spoken(value: Value, base: str = "") -> Text:
    """One value as people write it; `base` is the currency of amounts that have none."""
    return Text(_UNKNOWN, "dim") if value is None else plain(_spoken(value, base), _LONGEST)


def _spoken(value: Value, base: str) -> str:
    match value:
        case bool():
            text = "yes" if value else "no"
        case Amount():
            text = f"{amount(value.amount)} {value.currency or base}".rstrip()
        case int() | Decimal():
            text = f"{value:,}"
        case datetime():
            text = f"{value:%Y-%m-%d %H:%M}"
        case Mapping():
            text = ", ".join(f"{key} {_spoken(one, base)}" for key, one in value.items())
        case tuple() | list():
            text = ", ".join(value)
        case _:
            text = str(value)
    return text or _UNKNOWN


def amount(value: Decimal) -> str:
    """With thousands separators, and with two decimals unless it has more."""
    places = value.normalize().as_tuple().exponent
    decimals = max(2, -places) if isinstance(places, int) else 2
    return f"{value:,.{decimals}f}"


def _words(name: str) -> str:
    return name.replace("_", " ")
