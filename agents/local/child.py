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

from agents.local.lifeline import PARENT

_TAIL_BYTES = 16_384


@dataclass(frozen=True)
class Spec:
    """What to run. `restarts`: how often it may be started again after it died."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    restarts: int = 0
    grace_s: float = 5.0
    """How long it may take to end after SIGTERM before it is killed."""
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

    def end(self, grace_s: float) -> bool:
        """Wait for it to end; kill its process group after `grace_s`. True if it went by itself."""
        try:
            self._process.wait(max(grace_s, 0.0))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            return False
        return True

    def tail(self, lines: int) -> list[str]:
        """The last lines that it wrote since it was last started."""
        with self.log.open("rb") as written:
            size = written.seek(0, os.SEEK_END)
            written.seek(max(self._offset, size - _TAIL_BYTES))
            text = written.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()][-lines:]


def end_all(children: Sequence[Child], hurry: "Hurry") -> None:
    """Ask all to end, then wait for each within its own grace; kill at once if in a hurry."""
    for child in children:
        child.terminate()
    deadlines = [time.monotonic() + child.spec.grace_s for child in children]
    for child, deadline in zip(children, deadlines, strict=True):
        while child.status is None and time.monotonic() < deadline and not hurry.asked:
            time.sleep(0.02)
        child.end(0.0)


class Hurry:
    """Set when whoever waits for the end asks again."""

    asked = False
