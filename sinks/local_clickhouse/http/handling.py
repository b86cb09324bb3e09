"""One request to its end: who asks, what, and the answer.

1. Refuse web pages and strangers.
2. Read the URL's parameters, or a form's; then as much of the body as the statement is long.
3. An INSERT whose rows follow: keep them in a file to their end, then insert them in one statement.
   A client that goes before has inserted nothing.
4. Anything else: run it; a result goes out as the engine writes it.
"""

from __future__ import annotations

from contextlib import closing

from aiohttp import web

from sinks.local_clickhouse.engine import Engine, EngineConnection, Result
from sinks.local_clickhouse.errors import (
    AUTHENTICATION_FAILED,
    READONLY,
    UNKNOWN_FORMAT,
    ConnectionEndedError,
    ServerError,
)
from sinks.local_clickhouse.http.answers import Answer
from sinks.local_clickhouse.http.asking import Asked, read_request
from sinks.local_clickhouse.http.bodies import Body, Input, read_form, read_input
from sinks.local_clickhouse.http.gate import refuse_web_pages
from sinks.local_clickhouse.http.native import write_blocks
from sinks.local_clickhouse.http.outputs import write_result
from sinks.local_clickhouse.http.sessions import Session, Sessions
from sinks.local_clickhouse.http.threads import Threads
from sinks.local_clickhouse.inserting import Spool
from sinks.local_clickhouse.sql import SHOWING, STREAMING, Statement, parse_statement, quote
from sinks.local_clickhouse.user import User

_DEFAULT_FORMAT = "TabSeparated"
_READING = STREAMING | SHOWING | {"SET", "USE"}
_SCOPE = ": In scope SELECT formatQuery"
_SHOWN = (STREAMING | SHOWING) - {"CHECK"}  # into a pipe the engine shows nothing of CHECK


class Handler:
    """Answers queries over HTTP."""

    def __init__(self, engine: Engine, user: User) -> None:
        self._engine = engine
        self._user = user
        self._threads = Threads(engine)
        self._sessions = Sessions(engine)
        self._version = ".".join(map(str, engine.version))

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one query. Raises OSError, or is cancelled, when the client goes."""
        asked, refusal = self._admit(request)
        with closing(Answer(request, asked, self._engine.directory, self._version)) as answer:
            try:
                if refusal is not None:
                    raise refusal
                await self._query(request, asked, answer)
            except ServerError as error:
                await answer.fail(error)
            except ConnectionEndedError:
                raise ConnectionResetError from None
            return answer.response

    def end_sessions(self) -> None:
        """From now on none outlasts its request."""
        self._sessions.close()

    def close(self) -> None:
        """No more queries."""
        self._threads.close()

    def _admit(self, request: web.BaseRequest) -> tuple[Asked, ServerError | None]:
        try:
            refuse_web_pages(request.headers)
            asked = read_request(request.headers, request.query.items())
        except ServerError as error:
            return Asked(), error
        if self._user.is_let_in(asked.user, asked.password):
            return asked, None
        return asked, ServerError(AUTHENTICATION_FAILED, self._user.refusal(asked.user))

    async def _query(self, request: web.BaseRequest, asked: Asked, answer: Answer) -> None:
        if request.content_type == "multipart/form-data":
            await read_form(request, asked)
        body = Body(request, asked)
        given = await read_input(asked, body)
        statement = parse_statement(given.text, has_totals=True)
        async with self._sessions.use(asked) as session:
            if request.method != "POST" and statement.keyword not in _READING:
                await self._threads.run(lambda: _refuse_writing(session.connection, statement))
            await self._threads.run(lambda: _prepare(session, asked, statement))
            if given.rows is not None:
                result = await self._insert(session.connection, statement, given, body)
            else:
                result = await self._run(session.connection, asked, statement, answer)
            await answer.finish(result)

    async def _insert(
        self, connection: EngineConnection, statement: Statement, given: Input, body: Body
    ) -> Result:
        insert = statement.insert
        assert insert is not None
        with Spool(self._engine.directory) as spool:
            spool.write(given.rows or b"")
            await body.rest(spool)
            sql = insert.from_file(spool.path(), insert.format)
            return await self._threads.run(lambda: connection.run(sql), to_its_end=True)

    async def _run(
        self, connection: EngineConnection, asked: Asked, statement: Statement, answer: Answer
    ) -> Result:
        output = statement.format or asked.format or _DEFAULT_FORMAT
        if output.upper() not in self._engine.content_types:
            raise ServerError(UNKNOWN_FORMAT, f"Unknown format {output[:40]!r}")
        kind = self._engine.content_types[output.upper()]
        answer.headers["Content-Type"] = kind or "application/octet-stream"
        answer.headers["X-ClickHouse-Format"] = output
        answer.headers["X-ClickHouse-Timezone"] = self._engine.timezone
        if output.upper() == "NATIVE" and asked.revision:
            return await write_blocks(answer.write, connection, statement, self._threads)
        if statement.keyword in _SHOWN:
            return await write_result(answer.write, connection, statement, output, self._threads)
        result = await self._threads.run(lambda: connection.run(statement.text, output))
        if result.data:
            await answer.write(result.data)
        return result


def _prepare(session: Session, asked: Asked, statement: Statement) -> None:
    """Puts database, parameters and settings in place."""
    if asked.database:
        session.connection.use(asked.database)
    session.connection.parameters = asked.parameters
    if statement.keyword == "SET":
        session.settings.take_back()
    else:
        session.settings.apply(asked.settings)


def _refuse_writing(connection: EngineConnection, statement: Statement) -> None:
    """What is no statement at all is told as that: a mistyped SELECT writes nothing."""
    try:
        connection.run(f"SELECT formatQuerySingleLine({quote(statement.text)})")
    except ServerError as error:
        message, _, _ = error.message.partition(_SCOPE)
        raise ServerError(error.code, message) from None
    raise ServerError(
        READONLY,
        "Cannot execute query in readonly mode. For queries over HTTP, method GET implies"
        " readonly. You should use method POST for modifying queries",
    )
