"""A portrait on the screen: aligned whatever script a name is in."""

from collections.abc import Sequence

from rich.box import ROUNDED
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from agents.portrait.charts import composition, course
from agents.portrait.columns import the_currency
from agents.portrait.grid import Fitted
from agents.portrait.spoken import spoken, words
from agents.terminal import in_language, plain
from streams.portrait.parts import Fact, Facts, Portrait, Table, sums_by_month

_SHORT = 36
"""Cells of a fact that shares its line."""


def picture(portrait: Portrait) -> RenderableType:
    """The whole portrait, part below part; at the end, which tables are empty."""
    base = portrait.base_currency
    shown = [_part(part, base) for part in portrait.parts if not _is_empty(part)]
    empty = [part.name for part in portrait.parts if isinstance(part, Table) and not part.rows]
    if empty:
        shown.append(Text(f"none: {', '.join(map(words, empty))}", "dim"))
    spaced = [one for part in shown for one in (part, Text())][:-1]
    return Panel(
        Group(*spaced),
        title=_title_of(portrait),
        title_align="left",
        box=ROUNDED,
        padding=(1, 2),
    )


def _title_of(portrait: Portrait) -> Text:
    """Who it is: id, name and tier, as far as they are known."""
    profile = portrait.parts[0]
    known = {fact.name: fact.value for fact in profile.facts} if isinstance(profile, Facts) else {}
    title = Text.assemble("customer ", (portrait.customer, "bold"))
    for name in ("name", "tier"):
        if (value := known.get(name)) is not None:
            title.append(" · ").append_text(spoken(value))
    return title


def _is_empty(part: Facts | Table) -> bool:
    return not (part.facts if isinstance(part, Facts) else part.rows)


def _part(part: Facts | Table, base: str) -> RenderableType:
    heading = Text(words(part.name), "bold cyan")
    if isinstance(part, Facts):
        return Group(heading, _facts(part.facts, base))
    if currency := the_currency(part, base):
        heading.append(f"  {currency}", "not bold dim")
    more = [Text(f"and {part.left_out:,} more", "dim")] if part.left_out else []
    return Group(heading, Fitted(part, base), *more)


def _facts(facts: Sequence[Fact], base: str) -> RenderableType:
    """Short ones beside each other, each long one on a line of its own."""
    pairs = [pair(fact, base) for fact in facts]
    short = [one for one in pairs if one.cell_len <= _SHORT]
    bar = composition(facts)
    return Group(
        Columns(short, padding=(0, 3), column_first=True),
        *([bar] if bar else []),
        *(one for one in pairs if one.cell_len > _SHORT),
    )


def pair(fact: Fact, base: str) -> Text:
    """A fact under its name; sums by month as their course."""
    months = sums_by_month(fact.value)
    told = course(months, base) if months else spoken(fact.value, base)
    return Text.assemble((f"{plain(_title(fact))} ", "dim"), told)


def _title(fact: Fact) -> str:
    return in_language(fact.title) if fact.title else words(fact.name)
