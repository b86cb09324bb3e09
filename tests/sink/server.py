"""`vipcare clickhouse` as a process that tests start, kill and start again at the same address."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.ports import free_port

_PATIENCE_S = 30.0


class Server:
    """Answers at 127.0.0.1:`port` when it is made; its tables are in `folder`."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.port = port or free_port()
        command = [sys.executable, "-m", "agents.cli.main", "clickhouse", "--port", str(self.port)]
        command += ["--http-port", "0"]  # tests run side by side
        self._log = (folder / "log").open("ab")
        self._process = subprocess.Popen(
            [*command, "--data", str(folder / "data")], stdout=self._log, stderr=self._log
        )
        deadline = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(_PATIENCE_S)
        self._log.close()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _answers(self) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False
