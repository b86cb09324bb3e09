"""A portrait in a few lines, for the live summary; and all portraits whole, for the end."""

from collections.abc import Sequence

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agents.local.gallery import Star
from agents.portrait.picture import picture
from agents.portrait.spoken import spoken
from agents.terminal import in_language, plain
from streams.portrait.parts import Facts, Portrait
from streams.portrait.parts import Table as Rows

_MOMENTS = 4
CARD_LINES = _MOMENTS + 6
"""The height of a card."""
_WHO = ("name", "tier", "rm", "residence", "occupation", "family", "tags")


def card(star: Star) -> RenderableType:
    """Who it is, what the storyline tells, the assets, and what happened last."""
    drawn = star.portrait
    body = Group(
        plain(in_language(star.storyline.story.model_dump()), most=400),
        _line(drawn, "profile", _WHO),
        _line(drawn, "assets"),
        _line(drawn, "behaviour"),
        _moments(drawn),
    )
    return Panel(body, title=_title(star), title_align="left", box=ROUNDED, height=CARD_LINES)


def gallery(stars: Sequence[Star]) -> RenderableType:
    """Everybody's portrait, each under its storyline."""
    shown: list[RenderableType] = []
    for star in stars:
        story = plain(in_language(star.storyline.story.model_dump()), most=400)
        shown += [Text(), _title(star), story, picture(star.portrait)]
        if star.warning:
            shown.append(plain(star.warning))
    return Group(*shown)


def _title(star: Star) -> Text:
    title = plain(in_language(star.storyline.title.model_dump()))
    title.stylize("bold cyan")
    return Text.assemble(title, (f" · 360° of {star.portrait.customer}", "dim"))


def _line(drawn: Portrait, part: str, wanted: Sequence[str] = ()) -> Text:
    """Facts of a part, as many as fit into one line."""
    facts = next(
        (one.facts for one in drawn.parts if isinstance(one, Facts) and one.name == part), ()
    )
    line = Text(no_wrap=True, overflow="ellipsis")
    for fact in facts:
        if (fact.name in wanted) if wanted else (fact.value is not None):
            line.append(f"{fact.name.replace('_', ' ')} ", "dim")
            line.append_text(spoken(fact.value)).append("   ")
    return line


def _moments(drawn: Portrait) -> RenderableType:
    """The latest of the time line."""
    grid = Table.grid(padding=(0, 2))
    rows = next(
        (one.rows for one in drawn.parts if isinstance(one, Rows) and one.name == "time_line"), ()
    )
    for row in rows[:_MOMENTS]:
        cells = [spoken(value) for value in row]
        for cell in cells:
            cell.no_wrap, cell.overflow = True, "ellipsis"
        grid.add_row(*cells)
    return grid
