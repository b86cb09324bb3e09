"""`vipcare sink rebuild`: a table of ClickHouse made anew from the topics."""

import signal
import time
from datetime import UTC, datetime
from typing import NoReturn

import click

from agents.cli.errors import UserError
from agents.clickhouse import clickhouse_address
from agents.librdkafka import librdkafka_config
from config.load import load_settings
from sinks.clickhouse.rebuild.errors import RebuildError
from sinks.clickhouse.rebuild.filling import Progress
from sinks.clickhouse.rebuild.run import Done, Plan, Rebuild
from sinks.clickhouse.tables import TABLES, VIEWS, Table

_SAY_EVERY_S = 2.0
_NAMES: dict[str, Table] = {**VIEWS, **{table.name: table for table in TABLES}}


def _tables() -> str:
    """The tables, each with its views."""
    of = {table: [name for name, found in VIEWS.items() if found is table] for table in TABLES}
    told = "; ".join(f"{', '.join(views)} ({table.name})" for table, views in of.items())
    return f"TABLE is one of these views, or the table in brackets behind them: {told}."


@click.command(epilog=_tables())
@click.argument("table", type=click.Choice([*_NAMES]), metavar="TABLE")
@click.option("--yes", is_flag=True, help="Go on although rows would be lost.")
def rebuild(table: str, yes: bool) -> None:
    """Make TABLE anew from its topics, while the sink goes on.

    The new table is filled beside the old one, from what Kafka still holds, and swapped with it at
    once; readers see the old rows until then. Materialized views that feed from it are rebuilt too.
    Kafka keeps messages for a time only (and of a compacted topic the last one of each key): where
    rows would be lost, it says how many, and wants --yes. Ctrl-C leaves everything as it was.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    settings = load_settings()
    kafka = {**librdkafka_config(settings.kafka), "group.id": settings.sink.group}
    work = Rebuild(clickhouse_address(settings.clickhouse), kafka, _NAMES[table])
    try:
        plan = work.plan()
        _tell(plan)
        if plan.lost and not yes:
            raise UserError(
                f"{plan.lost:,} rows of {plan.table.name} would be lost: Kafka no longer holds "
                "their messages. Say --yes if they may"
            )
        done = _run(work, plan, yes)
    except RebuildError as error:
        raise UserError(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted: the table is as it was", err=True)
        raise
    _tell_done(plan.table, done)


def _run(work: Rebuild, plan: Plan, yes: bool) -> Done:
    try:
        return work.run(plan, _Teller(), may_lose=yes)
    finally:
        for name in work.left:
            click.echo(f"could not drop {name}: the next rebuild of the table does", err=True)


class _Teller:
    """A line now and then."""

    def __init__(self) -> None:
        self._began = self._said = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._said < _SAY_EVERY_S:
            return
        self._said = now
        rate = progress.read / (now - self._began)
        left = (progress.of - progress.read) / max(rate, 1)
        click.echo(
            f"{progress.read / max(progress.of, 1):4.0%}  {progress.rows:,} rows, "
            f"{rate:,.0f} messages/s, {left:.0f} s left"
        )


def _tell_done(table: Table, done: Done) -> None:
    filled = done.filled
    refused = f", {filled.refused:,} refused" if filled.refused else ""
    lost = f", {done.lost:,} lost" if done.lost else ""
    click.echo(f"{table.name} is rebuilt: {filled.rows:,} rows{refused}{lost}")
    for line in filled.first:
        click.echo(f"refused {line}")
    if more := filled.refused - len(filled.first):
        click.echo(f"… and {more:,} more")


def _tell(plan: Plan) -> None:
    """What range is covered."""
    for topic in dict.fromkeys(topic for topic, _ in plan.ranges):
        ranges = [one for place, one in plan.ranges.items() if place[0] == topic]
        held = sum(one.end - one.begin for one in ranges)
        since = min((one.since for one in ranges if one.since is not None), default=None)
        said = "nothing" if since is None else f"{held:,} offsets, since {_moment(since)}"
        click.echo(f"{topic}: {said}")
    also = f"; with it: {', '.join(plan.views)}" if plan.views else ""
    click.echo(f"{plan.table.name}: up to {plan.messages:,} messages to read again{also}")


def _moment(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
