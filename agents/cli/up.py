"""`vipcare up`: everything on this machine."""

import tempfile
from pathlib import Path

import click

from agents.cli.errors import UserError
from agents.cli.params import DURATION, Address, Rate
from config.load import load_settings
from config.settings import MAX_CLOCK_RATE, Settings

_ADDRESS = Address("embedded")
_BROKER = Address("embedded", "kafka")


@click.command()
@click.option(
    "--for",
    "seconds",
    type=DURATION,
    help="End by itself after 60s, 5m, 1h: drain, compare everything, report. Else: Ctrl-C.",
)
@click.option("--workers", type=click.IntRange(1, 16), default=1, show_default=True)
@click.option(
    "--broker",
    type=_BROKER,
    default="embedded",
    show_default=True,
    help="Embedded: in memory. kafka: starts Apache Kafka here (Java 17 and, once, Maven). Either "
    "starts empty. Or the address of an Apache Kafka.",
)
@click.option("--keep", is_flag=True, help="With --broker kafka: go on where the last run ended.")
@click.option(
    "--clickhouse",
    type=_ADDRESS,
    default="embedded",
    show_default=True,
    help="Embedded: the local ClickHouse. Or a server's address, native protocol.",
)
@click.option(
    "--clock-rate",
    type=Rate(MAX_CLOCK_RATE),
    help="How many bank seconds pass in a real second. Where the simulated bank plays alone, 60: "
    "it goes live shortly before the next public holiday is told of.",
)
@click.option("--no-bank", is_flag=True, help="No simulated bank: send your own events.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".vipcare"),
    show_default=True,
    help="Folder of data and logs. Runs on the embedded broker: the last is kept.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report as JSON; exit status 1 if it is not reconciled.",
)
def up(
    *,
    seconds: float | None,
    workers: int,
    broker: str,
    keep: bool,
    clickhouse: str,
    clock_rate: float | None,
    no_bank: bool,
    data: Path,
    report: Path | None,
) -> int:
    """Run everything on this machine: broker, ClickHouse, workers, sink, a simulated VIP bank.

    What starts here takes the ports of kafka.bootstrap and clickhouse.port where they are free.
    Shows its progress until ready, then the addresses, then what happens: events, tasks, alerts,
    dead letters. Ctrl-C stops everything that it started, and nothing else.

    \b
    vipcare up                                see it run
    vipcare up --for 60s --report out.json    run, compare, report, end
    vipcare up --broker kafka                 on Apache Kafka: nothing counts twice
    vipcare up --broker kafka-1:9092          on your Kafka
    """
    # rich, Kafka's client and the rest: not for `vipcare up --help`.
    from agents.cli.bank import bank_plan  # noqa: PLC0415
    from agents.local.folder_lock import FolderError  # noqa: PLC0415
    from agents.local.plan import Options, PlanError  # noqa: PLC0415
    from agents.local.session import NotDrained, run  # noqa: PLC0415
    from agents.local.stack import ChildDied, StackError  # noqa: PLC0415
    from agents.terminal import console  # noqa: PLC0415

    if keep and broker != "kafka":
        raise click.UsageError("--keep goes with --broker kafka: the embedded broker forgets")
    settings = load_settings()
    _check_writable(report)
    _check_rules(settings)
    if not no_bank:
        bank_plan(settings, origin=0)
    options = Options(
        seconds=seconds,
        workers=workers,
        broker=broker,
        keep=keep,
        clickhouse=clickhouse,
        clock_rate=clock_rate,
        bank=not no_bank,
        data=data,
        report=report,
    )
    try:
        return run(options, settings, console())
    except (FolderError, PlanError, StackError) as error:
        raise UserError(str(error)) from error
    except (ChildDied, NotDrained) as error:
        click.echo(f"vipcare: {error}", err=True)
        return 1


def _check_rules(settings: Settings) -> None:
    """As a worker reads them while nothing was published."""
    from agents.core import rule_set  # noqa: PLC0415
    from config.placed_yaml import FileErrors  # noqa: PLC0415

    try:
        rule_set(settings)
    except FileErrors as error:
        raise UserError(str(error)) from None


def _check_writable(report: Path | None) -> None:
    """Rather now than after the run."""
    if report is None:
        return
    folder = report.resolve().parent
    if not folder.is_dir():
        raise UserError(f"--report {report}: there is no folder {folder}")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(
            f"--report {report}: nothing can be written in {folder} ({error.strerror})"
        ) from error
