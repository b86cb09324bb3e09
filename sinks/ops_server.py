"""`/metrics`, `/healthz` and `/readyz` of one process, on a thread of their own.

They answer from what is known already and ask nobody, so they answer while everything else waits.
"""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from sinks.health import Health
from sinks.metrics import Metrics

_Start = Callable[[str, list[tuple[str, str]]], Any]
_JSON = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


class _Handler(WSGIRequestHandler):
    timeout = 10
    """Seconds: who connects and says nothing holds a thread no longer."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the hook's name
        """A probe a second is no news."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # HTTPServer would ask DNS for the host's full name, which may take seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()[:2]
        self.setup_environ()


class _Server6(_Server):
    address_family = socket.AF_INET6


class OpsServer:
    """Serves from when it is made until `close`. `port=0` chooses one; `port` says which.

    Raises OSError if the address cannot be taken.
    """

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self._metrics_page = metrics.page()
        self.health: Callable[[], Health] = lambda: Health("starting")
        """Whoever knows better replaces it; called on the threads of requests."""
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        server = _Server6 if family == socket.AF_INET6 else _Server
        self._server = server((str(address[0]), port), _Handler)
        self._server.set_app(self._answer)
        self.host = host
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="ops-server", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, environ: Mapping[str, Any], start: _Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            page: Iterable[bytes] = self._metrics_page(environ, start)
            return page
        health = self.health()
        if path == "/healthz":
            return _tell(health, start, well=health.alive)
        if path == "/readyz":
            return _tell(health, start, well=health.ready)
        return _say(start, HTTPStatus.NOT_FOUND, {"pages": ["/metrics", "/healthz", "/readyz"]})


def _tell(health: Health, start: _Start, *, well: bool) -> Iterable[bytes]:
    body = {
        "state": health.state,
        "alive": health.alive,
        "ready": health.ready,
        "reason": health.reason,
        **health.detail,
    }
    return _say(start, HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE, body)


def _say(start: _Start, status: HTTPStatus, body: Mapping[str, object]) -> Iterable[bytes]:
    start(f"{status.value} {status.phrase}", [*_JSON])  # the handler adds to the list
    return [json.dumps(body).encode() + b"\n"]
