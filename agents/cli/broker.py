"""`vipcare broker`: the embedded broker in the foreground."""

import subprocess
import sys

import click

from agents.cli.errors import UserError
from agents.cli.foreground import port_option, run_until_asked
from agents.local.broker import BrokerError, EmbeddedBroker

_REMARK = "memory only; its users need VIPCARE_KAFKA__TRANSACTIONS=false"


@click.command()
@port_option(9092)
def broker(port: int) -> int:
    """Run the embedded broker until Ctrl-C: Kafka's protocol, in memory only.

    For a laptop and for tests. It forgets everything when it ends and has no transactions: set
    VIPCARE_KAFKA__TRANSACTIONS=false for what uses it, or worker and sink refuse to start.
    Production is Apache Kafka. kcat cannot talk to this one; it can to `vipcare kafka`.
    """
    embedded = EmbeddedBroker(port, output=_stderr())
    try:
        return run_until_asked(embedded, "the broker", _REMARK)
    except BrokerError as error:
        raise UserError(str(error)) from error


def _stderr() -> int:
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError):  # a test runner's stand-in has no descriptor
        return subprocess.DEVNULL
