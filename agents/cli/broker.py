"""`vipcare broker`: the embedded broker in the foreground."""

import signal
import subprocess
import sys
import threading
from types import FrameType

import click

from agents.cli.errors import UserError
from agents.local.broker import BrokerError, EmbeddedBroker

_LOOK_S = 0.2


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=9092,
    show_default=True,
    help="Port on 127.0.0.1; 0 chooses a free one and says it.",
)
def broker(port: int) -> int:
    """Run the embedded broker until Ctrl-C: Kafka's protocol, in memory only.

    For a laptop and for tests. It forgets everything when it ends and has no transactions: set
    VIPCARE_KAFKA__TRANSACTIONS=false for the worker and the sink. Production is Apache Kafka.
    """
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    embedded = EmbeddedBroker(port, output=_stderr())
    try:
        address = embedded.start()
    except BrokerError as error:
        raise UserError(str(error)) from error
    click.echo(f"kafka on {address} (memory only; Ctrl-C ends it)")
    try:
        while not asked.is_set():
            status = embedded.wait(_LOOK_S)
            if status is not None:
                click.echo(f"vipcare: the broker ended by itself, status {status}", err=True)
                return 1
    finally:
        embedded.stop()
    return 0


def _stderr() -> int:
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError):  # a test runner's stand-in has no descriptor
        return subprocess.DEVNULL
