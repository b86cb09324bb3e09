"""A local ClickHouse in a process of its own: an engine has one directory for each process."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from clickhouse_driver import Client

_PROGRAM = """
import sys
from pathlib import Path
import structlog
from sinks.local_clickhouse import LocalClickHouseError, User, serve
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
try:
    serve(
        Path(sys.argv[1]),
        user=User("default", sys.argv[2]),
        on_ready=lambda server: print(server.port, server.http_port, flush=True),
    )
except LocalClickHouseError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


class ServerProcess:
    """Runs the server; `port` and `http_port` once it is ready."""

    def __init__(self, data_dir: Path, password: str = "") -> None:
        arguments = [sys.executable, "-c", _PROGRAM, str(data_dir), password]
        # A file takes any amount of log; a pipe that nobody reads would stop the server.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  open as long as the process
        self._process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        assert self._process.stdout is not None
        self.pid = self._process.pid
        ports = self._process.stdout.readline().split() or ["0", "0"]
        self.port, self.http_port = map(int, ports)
        self.url = f"http://127.0.0.1:{self.http_port}"

    def client(self, **options: object) -> Client:
        """A clickhouse-driver client of this server."""
        return Client("127.0.0.1", port=self.port, **options)

    def finish(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Sends a signal; the exit status and what was written to standard error."""
        self._process.send_signal(number)
        return self.outcome()

    def outcome(self) -> tuple[int, str]:
        """Waits for the end; the exit status and what was written to standard error."""
        self._process.communicate(timeout=60)
        with self._errors as errors:
            errors.seek(0)
            return self._process.returncode, errors.read()

    def memory_mb(self) -> int:
        """What it holds now, files that it reads not counted. Skips the test without /proc."""
        status = Path(f"/proc/{self.pid}/status")
        if not status.exists():
            pytest.skip("no /proc here")
        found = re.search(r"RssAnon:\s+(\d+) kB", status.read_text())
        return int(found[1]) // 1024 if found else 0

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None
