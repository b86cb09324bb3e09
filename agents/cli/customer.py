"""`vipcare customer`: one customer as the bank knows him or her."""

import json

import click
from rich.text import Text

from agents.cli.errors import UserError
from agents.portrait.draw import Place, draw
from agents.portrait.picture import picture
from agents.portrait.plain import as_data
from agents.portrait.sources import SourceError, UnknownCustomerError
from agents.terminal import console
from config.load import load_settings
from config.placed_yaml import FileErrors


@click.group()
def customer() -> None:
    """One customer: profile, assets, what is open, what happened."""


@customer.command()
@click.argument("customer_id", metavar="ID")
@click.option(
    "--from",
    "place",
    type=click.Choice(("store", "kafka", "clickhouse")),
    help="store: the record in the worker's RocksDB, while it runs, on its machine. kafka: the "
    "record in the changelog, from anywhere. clickhouse: what the sink stored, with tasks, alerts "
    "and a longer time line. Default: store where this machine has it, else kafka; with the open "
    "tasks and alerts out of ClickHouse.",
)
@click.option("--personal", is_flag=True, help="Do not mask what identifies a person.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def show(customer_id: str, place: Place | None, personal: bool, as_json: bool) -> None:
    """Show a customer: profile, assets, open things, time line.

    Names, phones, birthdays and the like, and attributes that are sensitive, are masked unless
    asked for with --personal. Times are in the bank's time zone (step.time_zone).

    \b
    vipcare customer show C100042
    vipcare customer show C100042 --from clickhouse
    vipcare customer show C100042 --from kafka --json
    """
    try:
        drawn = draw(load_settings(), customer_id, place, personal=personal)
    except (SourceError, UnknownCustomerError, FileErrors) as error:
        raise UserError(str(error)) from None
    for warning in drawn.warnings:
        click.echo(f"vipcare: warning: {warning}", err=True)
    if as_json:
        data = as_data(drawn.portrait) | {"source": drawn.source}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    screen = console()
    screen.print(picture(drawn.portrait))
    screen.print(Text(f"read from {drawn.source}", "dim"), soft_wrap=True)
