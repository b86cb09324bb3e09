"""`vipcare calendar`: check the calendar as its owner saves it, show a year."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from agents.cli.errors import UserError
from agents.terminal import plain
from config.load import load_settings
from config.load_calendar import SHIPPED_CALENDAR, CalendarFileErrors, read_calendar
from schemas.calendars import CalendarDefinition

FILE = click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
_WIDE = 140
_KNOWN = {
    "announced": "as announced",
    "expected": "as expected, not yet announced",
    "none": "not told of: weekends alone are off",
}


@click.group()
def calendar() -> None:
    """Check or show public holidays and the weekend days that are worked in exchange.

    Of FILE, else of the file that is set (VIPCARE_STEP__CALENDAR), else of the one shipped.
    config/README.md says how to write one.
    """


@calendar.command()
@FILE
def check(file: Path | None) -> None:
    """Check a calendar, and say where each problem is.

    A line for each, with file:line:column; exit status 2 if there is one.
    """
    path, found = _read(file)
    years = found.years
    told = f"{years.first} to {years.last} (announced up to {years.announced})"
    click.echo(f"ok: {len(found.holidays)} holidays of {told} in {path}")


@calendar.command()
@click.argument("year", type=click.IntRange(1900, 2100))
@FILE
def show(year: int, file: Path | None) -> None:
    """Show the holidays of YEAR.

    Their own day, the days off, the weekend days worked in exchange.
    """
    _, found = _read(file)
    click.echo(f"{found.title.en} · {found.title.zh}, {year}: {_KNOWN[found.coverage(year)]}")
    table = Table("day", "en", "zh", "off", "worked", box=None, pad_edge=False)
    for one in sorted(found.holidays, key=lambda one: one.day):
        if one.day.year == year:
            off = f"{one.first} to {one.last}" if one.first < one.last else f"{one.first}"
            worked = ", ".join(map(str, one.worked))
            table.add_row(f"{one.day}", plain(one.name.en), plain(one.name.zh), off, worked)
    Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE).print(table)


def _read(file: Path | None) -> tuple[Path, CalendarDefinition]:
    path = file or load_settings().step.calendar or SHIPPED_CALENDAR
    try:
        return path, read_calendar(path)
    except CalendarFileErrors as error:
        raise UserError(str(error)) from None
