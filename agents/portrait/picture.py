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
    """The whole portrait, part below part; an empty part says so in a word."""
    shown = [_part(part) for part in portrait.parts if not _is_idle(part)]
    spaced = [one for part in shown for one in (part, Text())][:-1]
    return Panel(
        Group(*spaced),
        title=Text.assemble("customer ", (portrait.customer, "bold")),
        title_align="left",
        box=ROUNDED,
        padding=(1, 2),
    )


def _is_idle(part: Facts | Table) -> bool:
    """Facts that nobody told. An empty table is an answer: there is none."""
    return isinstance(part, Facts) and not part.facts


def _part(part: Facts | Table) -> RenderableType:
    heading = Text(_words(part.name), "bold cyan")
    if isinstance(part, Facts):
        return Group(heading, _facts(part.facts))
    if not part.rows:
        return Text.assemble(heading, ("  none", "dim"))
    more = [Text(f"and {part.left_out:,} more", "dim")] if part.left_out else []
    return Group(heading, _table(part), *more)


def _facts(facts: Sequence[Fact]) -> RenderableType:
    """Short ones beside each other, each long one on a line of its own."""
    pairs = [_pair(fact) for fact in facts]
    short = [pair for pair in pairs if pair.cell_len <= _SHORT]
    return Group(
        Columns(short, padding=(0, 3), column_first=True),
        *(pair for pair in pairs if pair.cell_len > _SHORT),
    )


def _pair(fact: Fact) -> Text:
    return Text.assemble((f"{plain(_title(fact))} ", "dim"), spoken(fact.value))


def _title(fact: Fact) -> str:
    return in_language(fact.title) if fact.title else _words(fact.name)


def _table(part: Table) -> Grid:
    grid = Grid(box=SIMPLE_HEAD, header_style="dim", show_edge=False, pad_edge=False)
    for number, name in enumerate(part.columns):
        amounts = any(isinstance(row[number], Amount) for row in part.rows)
        grid.add_column(_words(name), justify="right" if amounts else "left", overflow="fold")
    for row in part.rows:
        grid.add_row(*map(spoken, row))
    return grid


def spoken(value: Value) -> Text:
    """One value as people write it."""
    return Text(_UNKNOWN, "dim") if value is None else plain(_spoken(value), _LONGEST)


def _spoken(value: Value) -> str:
    match value:
        case bool():
            text = "yes" if value else "no"
        case Amount():
            text = f"{amount(value.amount)} {value.currency}".rstrip()
        case int() | Decimal():
            text = f"{value:,}"
        case datetime():
            text = f"{value:%Y-%m-%d %H:%M}"
        case Mapping():
            text = ", ".join(f"{key} {_spoken(one)}" for key, one in value.items())
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
