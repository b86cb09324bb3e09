"""`vipcare customer`: one customer as the bank knows him or her."""

import json
import sys
from datetime import date
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.text import Text

from agents.cli.errors import UserError
from agents.clock import BankClock
from agents.core import declared_attributes
from agents.portrait.picture import picture
from agents.portrait.plain import as_data
from agents.portrait.sources import (
    Sourced,
    SourceError,
    UnknownCustomerError,
    from_kafka,
    from_store,
    has_copy,
)
from config.load import load_settings
from config.placed_yaml import FileErrors
from config.settings import Settings
from schemas.envelope import from_millis
from streams.attributes import Attributes
from streams.portrait import portrait

_WIDE = 140
"""Columns where there is no terminal."""


@click.group()
def customer() -> None:
    """One customer: profile, assets, what is open, what happened."""


@customer.command()
@click.argument("customer_id", metavar="ID")
@click.option(
    "--from",
    "place",
    type=click.Choice(("store", "kafka")),
    help="store: the record in the worker's RocksDB, while it runs, on its machine. kafka: the "
    "record in the changelog, from anywhere. Default: store where this machine has it, else kafka.",
)
@click.option("--personal", is_flag=True, help="Do not mask what identifies a person.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def show(customer_id: str, place: str | None, personal: bool, as_json: bool) -> None:
    """Show a customer: profile, assets, open things, time line.

    Names, phones, birthdays and the like are masked, unless asked for with --personal. Times are
    in the bank's time zone (step.time_zone).

    \b
    vipcare customer show C100042
    vipcare customer show C100042 --from kafka --json
    """
    settings = load_settings()
    zone = ZoneInfo(settings.step.time_zone)
    try:
        found = _find(settings, customer_id, place)
    except (SourceError, UnknownCustomerError) as error:
        raise UserError(str(error)) from None
    today, declared = _today(settings, zone), _declared(settings)
    drawn = portrait(found.record, zone, today, personal=personal, declared=declared)
    if found.warning:
        click.echo(f"vipcare: warning: {found.warning}", err=True)
    if as_json:
        data = as_data(drawn) | {"source": found.source}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    console.print(picture(drawn))
    console.print(Text(f"read from {found.source}", "dim"), soft_wrap=True)


def _find(settings: Settings, customer_id: str, place: str | None) -> Sourced:
    near = has_copy(settings, customer_id) if place is None else place == "store"
    return from_store(settings, customer_id) if near else from_kafka(settings, customer_id)


def _declared(settings: Settings) -> Attributes:
    try:
        return declared_attributes(settings)
    except FileErrors as error:
        raise UserError(str(error)) from None


def _today(settings: Settings, zone: ZoneInfo) -> date:
    return from_millis(BankClock.from_settings(settings.clock).now()).astimezone(zone).date()
