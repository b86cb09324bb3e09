"""`vipcare rules profile`: what each rule costs."""

import json
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from agents.backtest.archived import ArchiveError, read_files
from agents.backtest.choice import ChoiceError, choose_any
from agents.backtest.from_kafka import read_kafka
from agents.backtest.profiling import Sample, simulated
from agents.bank.plan import PlanError
from agents.cli.errors import UserError
from agents.cli.params import archive_option
from agents.cli.progress import progress
from agents.cli.rules_at_hand import told_at_hand
from agents.core import core_settings
from agents.terminal import console
from config.load import load_settings
from config.placed_yaml import FileErrors
from streams.backtest.cost import Cost


@click.command()
@click.argument("names", nargs=-1, metavar="[RULE]…")
@archive_option("An archive, as for backtest. Without one a small simulated bank is played.")
@click.option("--source", type=click.Choice(("kafka",)), help="Or what the topics hold.")
@click.option(
    "--most",
    type=click.IntRange(1),
    default=20_000,
    show_default=True,
    help="So many messages, the first of the archive.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def profile(
    names: tuple[str, ...], files: tuple[Path, ...], source: str | None, most: int, as_json: bool
) -> None:
    """Measure what each rule costs, the most expensive first.

    Each rule runs by itself, as if it were live: `µs` is its time for an event that it looks at or
    that goes into its windows, `of all` that time spread over all events. Rules that share windows
    cost less together than their sum. RULE is the id of a rule in force, a file or a folder.
    """
    settings = load_settings()
    if files and source:
        raise UserError("name one archive: --events FILE, or --source kafka")
    try:
        rules = choose_any(names, told_at_hand(settings, names).by_id, settings)
        archive = (
            read_files(files)
            if files
            else (read_kafka(settings) if source else simulated(settings))
        )
        sample = Sample(archive, core_settings(settings), most)
    except (ArchiveError, ChoiceError, FileErrors, PlanError) as error:
        raise UserError(str(error)) from None
    costs: dict[str, Cost] = {}
    with progress("rules") as show:
        for number, rule in enumerate(rules):
            show("measuring", number, len(rules))
            costs[f"{rule.id}@{rule.version}"] = sample.cost(rule)
    found = {
        name: _told(cost, sample.messages)
        for name, cost in sorted(costs.items(), key=lambda pair: -pair[1].nanos)
    }
    if as_json:
        click.echo(json.dumps({"messages": sample.messages, "rules": found}, indent=2))
    else:
        console().print(_table(found))
        if unseen := [name for name, cost in costs.items() if not cost.events]:
            more = " (--most takes more)" if sample.messages == most else ""
            click.echo(
                f"not measured, as none of the first {sample.messages:,} messages is one that they "
                f"look at{more}: {', '.join(unseen)}"
            )


def _told(cost: Cost, messages: int) -> dict[str, Any]:
    return {
        "micros_an_event": round(cost.micros, 2),
        "micros_of_all": round(cost.nanos / 1_000 / messages, 3),
        "events": cost.events,
        "evaluated": cost.evaluated,
        "held": cost.held,
        "fired": cost.fired,
    }


def _table(found: dict[str, dict[str, Any]]) -> Table:
    table = Table("rule", box=None, pad_edge=False)
    for name in ("µs", "of all", "events", "evaluated", "held", "fired"):
        table.add_column(name, justify="right")
    for rule, told in found.items():
        table.add_row(rule, *(f"{value:,}" for value in told.values()))
    return table
