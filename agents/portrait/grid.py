"""A table that fits its screen: no word and no number of it is broken."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as Grid
from rich.text import Text

from agents.portrait.columns import Column, columns
from streams.portrait.parts import Table

_GAP = 2


class Fitted:
    """Leaves out the last columns that have no room, and says which."""

    def __init__(self, part: Table, base: str) -> None:
        self._columns = list(columns(part, base))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = _that_fit(self._columns, options.max_width)
        yield _grid(shown, options.max_width)
        if left := self._columns[len(shown) :]:
            names = ", ".join(column.name for column in left)
            yield Text(f"no room here for: {names}", "dim")


def _grid(shown: Sequence[Column], room: int) -> Grid:
    grid = Grid(
        box=SIMPLE_HEAD,
        header_style="dim",
        border_style="dim",
        show_edge=False,
        pad_edge=False,
        padding=(0, _GAP - 1, 0, 0),
    )
    for column, width in zip(shown, _widths(shown, room), strict=True):
        grid.add_column(
            column.name,
            justify="right" if column.is_number else "left",
            width=width,
            overflow="fold",
            vertical="top",
        )
    for cells in zip(*(column.cells for column in shown), strict=True):
        grid.add_row(*cells)
    return grid


def _that_fit(all_: Sequence[Column], room: int) -> Sequence[Column]:
    shown = all_
    while len(shown) > 1 and _together([column.least for column in shown]) > room:
        shown = shown[:-1]
    return shown


def _widths(shown: Sequence[Column], room: int) -> list[int]:
    """Whatever is too much is taken from the widest texts and headings."""
    widths = [column.width for column in shown]
    while _together(widths) > room:
        spare = [width - one.least for width, one in zip(widths, shown, strict=True)]
        if max(spare) <= 0:
            break
        widest = max(range(len(widths)), key=lambda n: (spare[n] > 0, widths[n]))
        widths[widest] -= 1
    return widths


def _together(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)
