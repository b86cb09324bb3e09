"""A portrait in a few lines, for the live summary; and all portraits whole, for the end."""

from collections.abc import Sequence

from rich.box import ROUNDED
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agents.local.gallery import Star
from agents.portrait.picture import pair, picture
from agents.portrait.sparks import sparks
from agents.portrait.spoken import spoken
from agents.terminal import in_language, plain
from streams.portrait.parts import Facts, Portrait, Value, sums_by_month
from streams.portrait.parts import Table as Rows

_MOMENTS = 4
CARD_LINES = _MOMENTS + 6
"""The height of a card."""
_CATEGORIES = "card_payments_by_category"
_WHO = ("name", "tier", "rm", "residence", "occupation", "family", "tags")


def card(star: Star) -> RenderableType:
    """Who it is, what the storyline tells, the assets, and what happened last."""
    drawn = star.portrait
    body = Group(
        plain(in_language(star.storyline.story.model_dump()), most=400),
        _line(drawn, "profile", _WHO),
        _line(drawn, "assets"),
        _spending(drawn) or _line(drawn, "behaviour"),
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
            line.append_text(pair(fact, drawn.base_currency)).append("   ")
    return line


def _spending(drawn: Portrait) -> Text | None:
    """How the payments of the largest merchant categories went; None without any."""
    held = [(str(row[0]), sums_by_month(row[-1])) for row in _rows(drawn, _CATEGORIES)]
    if not held:
        return None
    most = max(one.amount for _, months in held for one in months.values())
    line = Text("cards ", "dim", no_wrap=True, overflow="ellipsis")
    for name, months in held:
        course = sparks([one.amount for one in reversed(months.values())], most)
        line.append_text(plain(name)).append(f" {course}   ", "green")
    return line


def _moments(drawn: Portrait) -> RenderableType:
    """The latest of the time line."""
    grid = Table.grid(padding=(0, 2))
    for row in _rows(drawn, "time_line")[:_MOMENTS]:
        cells = [spoken(value, drawn.base_currency) for value in row]
        for cell in cells:
            cell.no_wrap, cell.overflow = True, "ellipsis"
        grid.add_row(*cells)
    return grid


def _rows(drawn: Portrait, name: str) -> Sequence[Sequence[Value]]:
    return next((one.rows for one in drawn.parts if isinstance(one, Rows) and one.name == name), ())
