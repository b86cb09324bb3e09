"""`vipcare sink`: topics into ClickHouse. `vipcare migrate`: ClickHouse's tables."""

import gc
import signal
import sys
from collections.abc import Callable
from typing import Any

import click
import structlog
from confluent_kafka import KafkaError

from agents.cli.errors import UserError
from agents.cli.kafka_ready import check_kafka
from agents.cli.ops import serve, watchdog
from agents.cli.rebuild import rebuild
from agents.clickhouse import clickhouse_address
from agents.fail_points import fail_point
from agents.librdkafka import librdkafka_config
from agents.logs import configure
from agents.rights_check import refusal
from config.load import load_settings
from config.settings import Settings, SinkSettings
from schemas.metrics import SINK
from sinks.clickhouse.letters import Letters
from sinks.clickhouse.migrate import MigrationError, left_alone
from sinks.clickhouse.migrate import migrate as apply_migrations
from sinks.clickhouse.quick_columns import use_quick_columns
from sinks.clickhouse.sink import Pace, Sink
from sinks.clickhouse.source import Source
from sinks.clickhouse.tables import TABLE_OF
from sinks.clickhouse.watch import SinkWatch
from sinks.clickhouse.writer import Writer
from sinks.metrics import Metrics

_EMBEDDED_TIMEOUT_MS = 6_000
SWITCH_INTERVAL_S = 0.0005
_GC_THRESHOLDS = (100_000, 20, 100)
"""A batch is many objects that all live for as long; nothing of it is a cycle."""
_log = structlog.get_logger(__name__)


@click.group(invoke_without_command=True)
@click.pass_context
def sink(context: click.Context) -> None:
    """Write events, tasks, alerts, customers, facts and dead letters to ClickHouse until SIGTERM.

    While ClickHouse is away it waits, and says so; nothing is lost or counted twice.
    """
    if context.invoked_subcommand is None:
        _run()


sink.add_command(rebuild)


def _run() -> None:
    settings = load_settings()
    configure(settings.log)
    check_kafka(settings, "sink")  # later, a Kafka that is away is awaited
    metrics = Metrics(SINK)
    address = clickhouse_address(settings.clickhouse)
    # The storing thread lets go of the interpreter for each piece that it sends: at Python's 5 ms
    # it would wait so long, each time, for the thread that decodes.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*_GC_THRESHOLDS)
    use_quick_columns()
    with serve(metrics, settings.sink, "sink") as server:
        _log.info("sink_started", clickhouse=str(address), metrics=server.url)
        running = Sink(
            Source(consumer_config(settings), list(TABLE_OF), _explaining(settings)),
            Writer(address),
            Letters(librdkafka_config(settings.kafka)),
            metrics,
            pace(settings.sink),
            fail_point,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: running.stop())
        kafka, limit = librdkafka_config(settings.kafka), settings.sink.stalled_after_s
        watch = SinkWatch(running, address, kafka, metrics, limit)
        with watchdog(watch.look, settings.sink) as dog:
            server.health = dog.health
            running.run()
        _log.info("sink_stopped")


def pace(settings: SinkSettings) -> Pace:
    """How fast and how patient it is."""
    return Pace(
        rows=settings.batch_rows,
        megabytes=settings.batch_mb,
        seconds=settings.batch_ms / 1_000,
        backoff_max_s=settings.backoff_max_s,
        refused_limit=settings.refused_limit,
    )


def _explaining(settings: Settings) -> Callable[[KafkaError], str]:
    def explain(error: KafkaError) -> str:
        return refusal(error.code(), "sink", settings) or error.str()

    return explain


@click.command()
def migrate() -> None:
    """Create the database and its tables, or bring them up to date.

    A table, a view or a column that somebody dropped is made again; nothing is dropped. Where a
    rebuild was killed in the middle of its swap, this lets inserts go on.
    """
    settings = load_settings()
    address = clickhouse_address(settings.clickhouse)
    try:
        done = apply_migrations(address, tell=click.echo)
        left = left_alone(address)
    except MigrationError as error:
        raise UserError(str(error)) from error
    for name in done:
        click.echo(f"applied {name}")
    for fault in left:
        click.echo(f"{fault}: {fault.advice}")
    state = "differs from this version" if left else "is up to date"
    click.echo(f"database {address.database} {state}")


def consumer_config(settings: Settings) -> dict[str, Any]:
    """The sink's consumer group as librdkafka wants it."""
    config: dict[str, Any] = {
        **librdkafka_config(settings.kafka),
        "group.id": settings.sink.group,
        "client.id": "vipcare-sink",
        "session.timeout.ms": int(settings.sink.session_timeout_s * 1_000),
        "heartbeat.interval.ms": int(settings.sink.session_timeout_s * 300),
    }
    if not settings.kafka.transactions:
        # The embedded broker lets a group's first join wait for half of these.
        config["session.timeout.ms"] = _EMBEDDED_TIMEOUT_MS
        config["max.poll.interval.ms"] = _EMBEDDED_TIMEOUT_MS
    return config
