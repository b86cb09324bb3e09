"""A supervisor, as production has one: it starts a command of ours again whenever it ends."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.settings import Settings
from tests.lane.process import failing

_PAUSE_S = 0.2
WAIT_S = 90.0


def comes_about(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether it does, within that time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def wait_until(holds: Callable[[], bool], what: str, seconds: float = WAIT_S) -> None:
    """Raises AssertionError that says what did not come about."""
    assert comes_about(holds, seconds), f"not within {seconds:g} s: {what}"


def wait_going_on(
    holds: Callable[[], bool], goes_on: Callable[[], bool], what: str, seconds: float = WAIT_S
) -> None:
    """Likewise, but as long as something goes on: a slow machine is no failure, a standstill is."""
    since = time.monotonic()
    while not holds():
        if goes_on():
            since = time.monotonic()
        assert time.monotonic() - since < seconds, f"nothing went on for {seconds:g} s: {what}"
        time.sleep(0.1)


def _read(log: Path) -> str:
    """Of an incarnation that is about to start there is no log yet."""
    try:
        return log.read_text()
    except FileNotFoundError:
        return ""


class Kept:
    """One command, kept running. `fails` are values of VIPCARE_FAIL, one for each next start."""

    def __init__(
        self,
        command: str,
        name: str,
        settings: Settings,
        logs: Path,
        fails: Iterable[str] = (),
        fine: Iterable[int] = (0, -9),
    ) -> None:
        self.name = name
        self.fails = deque(fails)
        self.statuses: list[int] = []
        """How each incarnation ended, negative by a signal; the last one's is not here yet."""
        self._ended: list[str] = []
        """What incarnations that ended have written, read once."""
        self._fine = frozenset(fine)
        self._command = command
        self._settings = settings
        self._logs = logs
        self._log = logs / "none"
        self._fail = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name=name)

    def start(self) -> None:
        self._spawn()
        self._thread.start()

    def _keep(self) -> None:
        while True:
            self.statuses.append(self.process.wait())
            if self._stopping.wait(_PAUSE_S):
                return
            with self._starting:
                self._spawn()

    def _spawn(self) -> None:
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith("VIPCARE_")
        }
        variables |= _variables(self._settings)
        self._fail = self.fails.popleft() if self.fails else ""
        if self._fail:
            variables |= failing(self._fail)
        self._log = self._path(len(self.statuses))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agents.cli.main", self._command],
                env=variables,
                stdout=log,
                stderr=log,
            )

    def _path(self, incarnation: int) -> Path:
        return self._logs / f"{self.name}.{incarnation + 1}.log"

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "not started"
        return self._process

    @property
    def log(self) -> str:
        """What the present incarnation has written."""
        return _read(self._log)

    def said(self, incarnation: int) -> str:
        """What an incarnation, from 0, has written."""
        return _read(self._path(incarnation))

    def told(self, event: str) -> int:
        """How often all incarnations together logged this."""
        ended = len(self.statuses)
        for number in range(len(self._ended), ended):
            self._ended.append(self.said(number))
        logs = *self._ended[:ended], self.said(ended)
        return sum(log.count(f'"event": "{event}"') for log in logs)

    def assert_fine(self) -> None:
        """No incarnation ended in a way that it must not."""
        for number, status in enumerate(self.statuses):
            assert status in self._fine, (
                f"{self.name}.{number + 1} ended with {status}\n{self.said(number)[-2_000:]}"
            )

    def metrics(self) -> dict[str, float]:
        """Sample name with its labels → value; empty while there is no answer."""
        told = re.findall(r'"metrics": "(http[^"]+)"', self.log)
        if not told:
            return {}
        try:
            page = urllib.request.urlopen(told[-1], timeout=2).read().decode()
        except OSError:
            return {}
        found = re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", page, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def share(self) -> int:
        """How many partitions a worker has; -1 while it is not ready."""
        self.assert_fine()
        metrics = self.metrics()
        return int(metrics["vipcare_partitions"]) if metrics.get("vipcare_ready") == 1 else -1

    def kill(self) -> None:
        """SIGKILL, wherever it is; the supervisor starts another one.

        One that is between two lives is waited for: a kill of nothing would kill nobody.
        """
        wait_until(lambda: self.process.poll() is None, f"{self.name} lives")
        self.process.kill()

    @property
    def point(self) -> str:
        """The fail point of the present incarnation; empty if it has none."""
        return self._fail.partition(":")[0]

    def again(self) -> None:
        """Killed; the next one has the same fail point."""
        with self._starting:
            self.fails.appendleft(self._fail)
            self.process.kill()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Killed, and not started again before the context ends."""
        with self._starting:
            self.process.kill()
            self.process.wait()
            yield

    def freeze(self) -> int:
        """SIGSTOP; returns the number of the incarnation."""
        self.process.send_signal(signal.SIGSTOP)
        return len(self.statuses)

    def frozen(self) -> bool:
        command = ["ps", "-o", "state=", "-p", str(self.process.pid)]
        told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return told.strip().startswith("T")

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def wait_ended(self, incarnation: int) -> int:
        """Wait until this incarnation, from 0, has ended; how it did."""
        what = f"the end of {self.name}.{incarnation + 1}\n{self.log[-2_000:]}"
        wait_until(lambda: len(self.statuses) > incarnation, what)
        return self.statuses[incarnation]

    def stop(self) -> int:
        """SIGTERM, and no more starts; the last status."""
        self._stopping.set()
        self.process.terminate()
        self._thread.join(30)
        assert not self._thread.is_alive(), f"{self.name} does not stop\n{self.log[-3_000:]}"
        return self.statuses[-1]

    def end(self) -> None:
        """Without ceremony; also if it is frozen or gone."""
        self._stopping.set()
        if self._process is not None:
            self._process.kill()
            self._thread.join()


def _variables(settings: Settings) -> dict[str, str]:
    variables = {}
    for section, values in settings.model_dump(mode="json", exclude_unset=True).items():
        for name, value in values.items():
            variables[f"VIPCARE_{section}__{name}".upper()] = str(value)
    return variables
