"""The server: a thread for each native client, a loop for HTTP, an engine for all."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import structlog

from sinks.local_clickhouse import packets
from sinks.local_clickhouse.engine import Engine
from sinks.local_clickhouse.errors import (
    TOO_MANY_SIMULTANEOUS_QUERIES,
    ProtocolError,
    ServerError,
)
from sinks.local_clickhouse.http.listener import HttpListener
from sinks.local_clickhouse.listening import MAX_CLIENTS, listen
from sinks.local_clickhouse.session import Ground, converse
from sinks.local_clickhouse.user import User
from sinks.local_clickhouse.watching import Watch

_log = structlog.get_logger(__name__)


class LocalClickHouse:
    """A ClickHouse for one machine, on `host`, kept in `data_dir`.

    `port` is of the native protocol, `http_port` of HTTP; 0 takes any free one. `start` returns
    when clients can connect, and raises `LocalClickHouseError` with what to do when they cannot.
    One for each process: the engine is the process's.
    """

    def __init__(
        self,
        data_dir: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        http_port: int = 0,
        user: User = User(),  # noqa: B008  frozen
    ) -> None:
        self.host = host
        self.port = port
        self.http_port = http_port
        self._data_dir = data_dir
        self._user = user
        self._clients: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Takes the ports and the directory, and listens."""
        with ExitStack() as taken:
            self._listener = taken.enter_context(listen(self.host, self.port, "--port"))
            http_listener = taken.enter_context(listen(self.host, self.http_port, "--http-port"))
            self._engine = Engine(self._data_dir)
            taken.pop_all()
        self.port = self._listener.getsockname()[1]
        self.http_port = http_listener.getsockname()[1]
        self._ground = Ground(self._engine, Watch(self._engine), self._user)
        self._http = HttpListener(http_listener, self._engine, self._user)
        self._acceptor = threading.Thread(
            target=self._accept, name="clickhouse-accept", daemon=True
        )
        self._acceptor.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the server has stopped, at most `timeout` seconds; True when it has."""
        return self._stopped.wait(timeout)

    def stop(self, timeout: float = 10.0) -> None:
        """Ends every connection and query, then the engine. Rows that were acknowledged stay.

        A query that does not end within `timeout` seconds is waited for, and told of: the engine
        ends the process hard while it runs one.
        """
        if self._stopped.is_set():
            return
        self._stopping.set()
        # Wakes the acceptor; closing a socket that somebody waits on does not everywhere.
        with suppress(OSError):
            socket.create_connection(self._listener.getsockname()[:2], timeout).close()
        self._acceptor.join(timeout)
        self._listener.close()
        with self._lock:
            clients = dict(self._clients)
        for client in clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        has_http_ended = self._http.stop()
        until = time.monotonic() + timeout
        is_told = False
        while not has_http_ended or any(thread.is_alive() for thread in clients.values()):
            if not is_told and (not has_http_ended or time.monotonic() > until):
                is_told = True
                _log.warning("a query does not end: the stop waits for it")
            for thread in clients.values():
                self._end(thread)
            has_http_ended = has_http_ended or self._http.stop()
        self._ground.watch.stop()
        self._engine.close()
        self._stopped.set()

    def _end(self, thread: threading.Thread) -> None:
        """What a client's thread runs; an INSERT over HTTP is another's, and goes on to its end."""
        if thread.is_alive() and thread.native_id is not None:
            with suppress(ServerError):
                self._engine.kill(thread.native_id)
            thread.join(0.05)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError as error:
                # No more files for now, say: clients that go give theirs back.
                _log.warning("cannot take a client", reason=error.strerror)
                self._stopping.wait(0.1)
            else:
                self._admit(client)

    def _admit(self, client: socket.socket) -> None:
        with self._lock:
            is_full = len(self._clients) >= MAX_CLIENTS
            if not is_full:
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._clients[client] = thread
                thread.start()
        if is_full:
            _turn_away(client)

    def _serve(self, client: socket.socket) -> None:
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            converse(client, self._ground)
        except ProtocolError as error:
            _log.warning("a client's connection was ended", reason=str(error))
        except Exception:
            # Whatever it was, it is this connection's end and not the process's.
            _log.exception("a connection failed")
        finally:
            client.close()
            with self._lock:
                del self._clients[client]


def serve(
    data_dir: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    http_port: int = 0,
    user: User = User(),  # noqa: B008  frozen
    on_ready: Callable[[LocalClickHouse], None] | None = None,
) -> None:
    """Runs a server in this process until SIGTERM or SIGINT, then stops it cleanly.

    To be called from the main thread. `on_ready` is called once clients can connect. Raises
    `LocalClickHouseError` when the server cannot start.
    """
    asked_to_stop = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked_to_stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with LocalClickHouse(data_dir, host, port, http_port, user) as server:
            if on_ready is not None:
                on_ready(server)
            asked_to_stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _turn_away(client: socket.socket) -> None:
    message = f"The local ClickHouse serves at most {MAX_CLIENTS} clients at a time"
    with client, suppress(OSError):
        client.sendall(packets.exception(TOO_MANY_SIMULTANEOUS_QUERIES, message))
