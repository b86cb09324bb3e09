"""A run in a process of its own, so that several go side by side."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.kill.totals import Totals


class Apart:
    """One run. Its process leads a group, in which is all that it starts."""

    def __init__(self, number: int, seed: str, scenarios: Sequence[str]) -> None:
        self.seed = seed
        self.failed = False
        self._number = number
        self._scenarios = scenarios
        self._process: subprocess.Popen[str] | None = None
        self._starting = threading.Lock()
        self._ended = False

    def play(self) -> Totals | None:
        """What the run went through; None if it was ended, or told nothing."""
        folder = Path(tempfile.mkdtemp(prefix="vipcare-kill-"))
        self._say(f"begins, --seed {self.seed}")
        status = self._run(folder)
        totals = folder / "totals.json"
        found = Totals.read(totals) if totals.exists() else None
        self.failed = status != 0 and not self._ended
        if self.failed:
            self._say(f"FAILED, --seed {self.seed}, see {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=self._ended)
        return found

    def _run(self, folder: Path) -> int | None:
        command = [sys.executable, "-m", "tests.kill.one", self.seed, str(folder)]
        with self._starting:
            if self._ended:
                return None
            self._process = subprocess.Popen(
                [*command, *self._scenarios],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._say(line.rstrip())
        status = self._process.wait()
        with self._starting:
            self._kill_all()  # what a run that failed left behind
            self._process = None
        return status

    def end(self) -> None:
        """At once, with all that it started; one that has not begun never will."""
        with self._starting:
            self._ended = True
            self._kill_all()

    def _kill_all(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _say(self, line: str) -> None:
        sys.stdout.write(f"run {self._number}: {line}\n")
        sys.stdout.flush()
