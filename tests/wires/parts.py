"""`vipcare` parts as processes with the settings of a user, and all that they said."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Self


class Part:
    """One process; killed with the block, if it is still there. Its output is in `out`."""

    def __init__(self, command: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.out = folder / f"{command.replace(' ', '-')}.log"
        self._command = command
        clean = {name: value for name, value in os.environ.items() if "VIPCARE_" not in name}
        self._environment = clean | dict(environment)

    def __enter__(self) -> Self:
        with self.out.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agents.cli.main", *self._command.split()],
                env=self._environment,
                stdout=out,
                stderr=out,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        return self.out.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, words: str, seconds: float = 60.0) -> None:
        """Until it has said this."""
        deadline = time.monotonic() + seconds
        while words not in self.said():
            assert self.process.poll() is None, f"it ended:\n{self.said()[-3_000:]}"
            assert time.monotonic() < deadline, f"not said: {words}\n{self.said()[-3_000:]}"
            time.sleep(0.05)

    def ended(self, seconds: float = 60.0) -> int:
        """The exit status, when it ends by itself."""
        return self.process.wait(seconds)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def page(self, path: str = "/metrics") -> str:
        """What it answers on its port."""
        (*_, base) = re.findall(r'"metrics": "(http[^"]+)/metrics"', self.said())
        try:
            return urllib.request.urlopen(base + path, timeout=5).read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()
