"""What the servers for this machine have in common: their options, and that they run until asked
to end."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import click

_LOOK_S = 0.2

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
PORT = click.IntRange(0, 65_535)


class Server(Protocol):
    """A process of ours."""

    def start(self) -> str:
        """Returns its address."""
        ...

    def wait(self, timeout_s: float) -> int | None: ...
    def stop(self) -> None: ...


def port_option(default: int, of: str = "") -> Decorator:
    """`--port`; `of` says of what."""
    told = f"Port on 127.0.0.1{of}; 0 chooses a free one and says it."
    return click.option("--port", type=PORT, default=default, show_default=True, help=told)


def data_option(default: str, what: str) -> Decorator:
    """`--data`, the folder where `what` is kept."""
    folder = click.Path(file_okay=False, path_type=Path)
    told = f"Where {what} kept; one process at a time."
    return click.option("--data", type=folder, default=default, show_default=True, help=told)


def end_when_asked() -> None:
    """From now on the first SIGINT or SIGTERM ends this process with 0, by way of its `finally`s;
    later ones do not interrupt those."""
    asked = False

    def end(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            sys.exit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def run_until_asked(server: Server, name: str, remark: str) -> int:
    """Run Kafka's protocol until SIGINT or SIGTERM; returns 1 if the server ends by itself."""
    end_when_asked()
    try:
        click.echo(f"kafka on {server.start()} ({remark}; Ctrl-C ends it)")
        while (status := server.wait(_LOOK_S)) is None:
            pass
        click.echo(f"vipcare: {name} ended by itself, status {status}", err=True)
        return 1
    finally:
        server.stop()
