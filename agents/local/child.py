"""One process of a stack: a `vipcare` command with its environment and its log file."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agents.local.interrupts import Interrupts
from agents.local.lifeline import PARENT

_TAIL_BYTES = 16_384


@dataclass(frozen=True)
class Spec:
    """What to run. `restarts`: how often it may be started again after it died."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    restarts: int = 0
    grace_s: float = 15.0
    """How long it may take to end after SIGTERM before it is killed: what takes a second alone may
    take ten beside others."""
    metrics: str = ""
    """Where its metrics are, if it has any."""


class Child:
    """A running spec, in a process group of its own: a terminal's Ctrl-C does not reach it."""

    def __init__(self, spec: Spec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self.restarts = 0
        self._start()

    def _start(self) -> None:
        self._offset = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                [sys.executable, "-P", "-m", "agents.cli.main", *self.spec.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.spec.environment, PARENT: str(os.getpid())},
                process_group=0,
            )

    def restart(self) -> None:
        self.restarts += 1
        self._start()

    @property
    def status(self) -> int | None:
        """The exit status, or None while it runs; minus the signal's number if one ended it."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask it to end: it finishes what it holds."""
        if self.status is None:
            self._process.terminate()

    def kill(self) -> None:
        """End it now, and what it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def has_said(self, words: str) -> bool:
        """Whether these stand in what it wrote last."""
        return any(words in line for line in self.tail(_TAIL_BYTES))

    def tail(self, lines: int) -> list[str]:
        """The last lines that it wrote since it was last started."""
        with self.log.open("rb") as written:
            size = written.seek(0, os.SEEK_END)
            written.seek(max(self._offset, size - _TAIL_BYTES))
            text = written.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()][-lines:]


def end_all(children: Sequence[Child], interrupts: Interrupts) -> list[str]:
    """Ask all to end and wait for each within its grace; a signal meanwhile kills at once.

    Returns the names of those that had to be killed.
    """
    for child in children:
        child.terminate()
    began = time.monotonic()
    killed = []
    for child in children:
        deadline = began + child.spec.grace_s
        while child.status is None and time.monotonic() < deadline and not interrupts.pending:
            time.sleep(0.02)
        if child.status is None:
            child.kill()
            killed.append(child.spec.name)
    return killed
