"""Sessions: engine connections that stay between requests, for SET and temporary tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sinks.local_clickhouse.engine import Engine, EngineConnection
from sinks.local_clickhouse.errors import (
    SESSION_IS_LOCKED,
    SESSION_NOT_FOUND,
    TOO_MANY_SIMULTANEOUS_QUERIES,
    ServerError,
)
from sinks.local_clickhouse.http.asking import Asked
from sinks.local_clickhouse.settings import QuerySettings

MAX_SESSIONS = 200


class Session:
    """An engine connection with the settings of the query at hand."""

    def __init__(self, engine: Engine) -> None:
        self.connection: EngineConnection = engine.connect()
        self.settings = QuerySettings(self.connection, refuses_extremes=False)
        self.is_busy = False
        self.end: asyncio.TimerHandle | None = None


class Sessions:
    """By name; one that is not used for its time is forgotten."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions: dict[str, Session] = {}
        self._is_closed = False

    @asynccontextmanager
    async def use(self, asked: Asked) -> AsyncIterator[Session]:
        """The session that a request names, or one for this request alone.

        Raises `ServerError` when it is busy, or must exist and does not.
        """
        if not asked.session:
            session = Session(self._engine)
            try:
                yield session
            finally:
                session.connection.close()
            return
        session = self._take(asked)
        try:
            yield session
        finally:
            session.is_busy = False
            if self._is_closed:
                self._forget(asked.session)
            else:
                session.end = asyncio.get_running_loop().call_later(
                    asked.session_seconds, self._forget, asked.session
                )

    def close(self) -> None:
        """Forgets them all; one that is busy when its query has ended."""
        self._is_closed = True
        for name, session in list(self._sessions.items()):
            if not session.is_busy:
                self._forget(name)

    def _take(self, asked: Asked) -> Session:
        session = self._sessions.get(asked.session)
        if session is None:
            if asked.session_must_exist:
                raise ServerError(SESSION_NOT_FOUND, "Session not found")
            if len(self._sessions) >= MAX_SESSIONS:
                raise ServerError(
                    TOO_MANY_SIMULTANEOUS_QUERIES,
                    f"The local ClickHouse keeps at most {MAX_SESSIONS} sessions",
                )
            session = self._sessions[asked.session] = Session(self._engine)
        if session.is_busy:
            raise ServerError(SESSION_IS_LOCKED, "Session is locked by a concurrent client")
        session.is_busy = True
        if session.end:
            session.end.cancel()
        return session

    def _forget(self, name: str) -> None:
        session = self._sessions.pop(name)
        if session.end:
            session.end.cancel()
        session.connection.close()
