"""`vipcare kafka`: one node of Apache Kafka in the foreground."""

import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click

from agents.cli.errors import UserError
from agents.local.kafka.jars import VERSION, KafkaUnavailableError, jars
from agents.local.kafka.node import KafkaNode, KafkaNodeError
from agents.local.ports import LOOPBACK, is_free

_LOOK_S = 0.2


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=9092,
    show_default=True,
    help="Port on 127.0.0.1; 0 chooses a free one and says it.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".vipcare/kafka"),
    show_default=True,
    help="Where its topics and its log are kept; one process at a time.",
)
@click.option("--fetch", is_flag=True, help="Fetch Kafka from Maven, say how far it is, and end.")
def kafka(port: int, data: Path, fetch: bool) -> int:
    """Run one node of Apache Kafka until Ctrl-C, with transactions, on loopback.

    Needs Java 17 or newer and, the first time, Maven (`mvn`), which fetches Kafka (43 MB) into
    ~/.cache/vipcare. For a laptop and for tests; production is a cluster.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        jars(click.echo)
        return 0 if fetch else _serve(KafkaNode(data, port))
    except KafkaUnavailableError as error:
        raise UserError(str(error)) from error
    except KafkaNodeError as error:
        click.echo(f"vipcare: {error}", err=True)
        return 1


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _serve(node: KafkaNode) -> int:
    if node.port and not is_free(node.port):
        raise UserError(f"port {node.port} on {LOOPBACK} is taken: choose another, or 0 for any")
    asked = threading.Event()
    try:
        click.echo(f"Apache Kafka {VERSION} starts; its log is {node.folder / 'kafka.log'}")
        click.echo(f"kafka on {node.start()} (Apache Kafka {VERSION}; Ctrl-C ends it)")
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: asked.set())
        while not asked.is_set():
            status = node.wait(_LOOK_S)
            if status is not None:
                click.echo(f"vipcare: Kafka ended by itself, status {status}", err=True)
                return 1
    finally:
        node.stop()
    return 0
