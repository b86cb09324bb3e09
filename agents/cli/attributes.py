"""`vipcare attributes`: check the file of attributes as its owner saves it, list what is there."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from agents.cli.errors import UserError
from agents.terminal import plain
from config.load import load_settings
from config.load_attributes import SHIPPED_ATTRIBUTES, AttributeFileErrors, read_attributes
from schemas.attributes import AttributeDefinition

FILE = click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
_WIDE = 140


@click.group()
def attributes() -> None:
    """Check or list the fields of a customer that the bank adds itself.

    Of FILE, else of the file that is set (VIPCARE_STEP__ATTRIBUTES), else of the one shipped.
    config/README.md says how to write one.
    """


@attributes.command()
@FILE
def check(file: Path | None) -> None:
    """Check attributes, and say where each problem is.

    A line for each, with file:line:column; exit status 2 if there is one.
    """
    path, declared = _read(file)
    hidden = sum(one.sensitive for one in declared)
    click.echo(f"ok: {len(declared)} attributes ({hidden} sensitive) in {path}")


@attributes.command(name="list")
@FILE
def list_(file: Path | None) -> None:
    """List the attributes.

    Name, type, what people call it, whether it is sensitive.
    """
    _, declared = _read(file)
    table = Table("name", "type", "en", "zh", "sensitive", "about", box=None, pad_edge=False)
    for one in declared:
        told = (one.title.en, one.title.zh, "sensitive" if one.sensitive else "", one.about)
        table.add_row(one.name, one.type, *map(plain, told))
    Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE).print(table)


def _read(file: Path | None) -> tuple[Path, Sequence[AttributeDefinition]]:
    path = file or load_settings().step.attributes or SHIPPED_ATTRIBUTES
    try:
        return path, read_attributes(path)
    except AttributeFileErrors as error:
        raise UserError(str(error)) from None
