"""The HTTP listener: one event loop on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from http import HTTPStatus

import structlog
from aiohttp import web

from sinks.local_clickhouse.engine import Engine
from sinks.local_clickhouse.http.handling import Handler
from sinks.local_clickhouse.user import User

MAX_LINE_BYTES = 1 << 20
MAX_FIELD_BYTES = 64 * 1024
_KEEP_ALIVE_S = 30.0
_GRACE_S = 0.3
_STOP_S = 5.0
_OK = "Ok.\n"
_NO_PAGE = """\
There is no page {path} here.

Use / or /ping for health checks, /replicas_status for those of replicas.
Send queries with POST or GET: /?query=...
"""
_log = structlog.get_logger(__name__)


class HttpListener:
    """Serves a listening socket until `stop`."""

    def __init__(self, listener: socket.socket, engine: Engine, user: User) -> None:
        self._handler = Handler(engine, user)
        self._loop = asyncio.new_event_loop()
        self._runner = self._make_runner()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="clickhouse-http", daemon=True
        )
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(listener), self._loop).result()

    def stop(self) -> bool:
        """Ends every request and its query. False: some go on for now; to be called again."""
        if not asyncio.run_coroutine_threadsafe(self._end(), self._loop).result():
            return False
        self._handler.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        return True

    async def _start(self, listener: socket.socket) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def _end(self) -> bool:
        """Whether all has ended: what was cancelled still sees its query end."""
        await self._runner.cleanup()
        self._handler.end_sessions()
        requests = asyncio.all_tasks() - {asyncio.current_task()}
        if requests:
            _, requests = await asyncio.wait(requests, timeout=_STOP_S)
        return not requests

    def _make_runner(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        return web.AppRunner(
            app,
            handle_signals=False,
            access_log=None,
            logger=_quiet(),
            auto_decompress=False,
            handler_cancellation=True,
            keepalive_timeout=_KEEP_ALIVE_S,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_FIELD_BYTES,
            shutdown_timeout=_GRACE_S,
        )

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD", "POST"):
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, text="Use GET or POST.\n")
        if request.path in ("/ping", "/replicas_status"):
            return web.Response(text=_OK)
        if request.path not in ("/", "/query"):
            return web.Response(
                status=HTTPStatus.NOT_FOUND, text=_NO_PAGE.format(path=request.path[:200])
            )
        if request.method != "POST" and not request.query_string:
            return web.Response(text=_OK)
        try:
            return await self._handler.answer(request)
        except OSError:
            raise  # the client is gone
        except Exception:
            # Whatever it was, it is this request's end and not the process's.
            _log.exception("a request failed")
            raise


def _quiet() -> logging.Logger:
    """aiohttp would log what clients send that it cannot parse, which may be rows or a query."""
    logger = logging.getLogger(f"{__name__}.aiohttp")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
