"""One client's conversation: its queries in, the engine's answers out."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from io import BytesIO

from sinks.local_clickhouse import packets
from sinks.local_clickhouse.blocks import Column, copy_block, empty_block
from sinks.local_clickhouse.channel import Channel
from sinks.local_clickhouse.compression import Method
from sinks.local_clickhouse.engine import Engine, EngineConnection, Result
from sinks.local_clickhouse.errors import (
    NOT_IMPLEMENTED,
    UNEXPECTED_PACKET_FROM_CLIENT,
    ConnectionEndedError,
    ProtocolError,
    ServerError,
)
from sinks.local_clickhouse.inserting import InsertTarget, Spool
from sinks.local_clickhouse.packets import FromClient, FromServer, Hello, Query
from sinks.local_clickhouse.settings import QuerySettings
from sinks.local_clickhouse.sql import SHOWING, STREAMING, Insert, Statement, parse_statement
from sinks.local_clickhouse.wire import Reader, varint

_HELLO_SECONDS = 30.0


def converse(client: socket.socket, engine: Engine) -> None:
    """Serves one connected socket until the client goes.

    Raises `ProtocolError` when the client sends what cannot be understood; it has been told then.
    """
    channel = Channel(client)
    with suppress(ConnectionEndedError), closing(engine.connect()) as connection:
        try:
            client.settimeout(_HELLO_SECONDS)
            hello = packets.read_hello(channel.reader)
            client.settimeout(None)
            session = Session(channel, engine, connection)
            if session.greet(hello):
                session.serve()
        except ProtocolError as error:
            with suppress(ConnectionEndedError):
                channel.send(packets.exception(UNEXPECTED_PACKET_FROM_CLIENT, str(error)))
            raise


class Session:
    """The packets of one client on one engine connection."""

    def __init__(self, channel: Channel, engine: Engine, connection: EngineConnection) -> None:
        self._channel = channel
        self._engine = engine
        self._connection = connection
        self._settings = QuerySettings(connection)

    def greet(self, hello: Hello) -> bool:
        """Answers the client's Hello; False when it was refused."""
        try:
            packets.refuse_hello(hello)
            if hello.database:
                self._connection.use(hello.database)
        except ServerError as error:
            self._channel.send(packets.exception(error.code, error.message))
            return False
        self._channel.send(packets.hello_reply(self._engine.version, self._engine.timezone))
        return True

    def serve(self) -> None:
        """Answers queries and pings until the client goes."""
        reader = self._channel.reader
        while not reader.ended():
            code = reader.varint()
            if code == FromClient.PING:
                self._channel.send(varint(FromServer.PONG))
            elif code == FromClient.QUERY:
                self._answer(packets.read_query(reader))
            elif code != FromClient.CANCEL:  # one of a query that is over
                raise ProtocolError(f"packet {code}, where a query or a ping was expected")

    def _answer(self, query: Query) -> None:
        self._channel.method = _method(query)
        try:
            self._refuse_external_tables()
            statement = parse_statement(query.text)
            if statement.keyword == "SET":
                self._settings.take_back()
            else:
                self._settings.apply(query.settings)
            if statement.insert is not None:
                self._insert(statement.insert)
            elif statement.keyword in STREAMING:
                self._select(statement.text)
            else:
                self._run(statement)
        except ServerError as error:
            self._channel.send(packets.exception(error.code, error.message))
        else:
            self._channel.send(varint(FromServer.END_OF_STREAM))

    def _refuse_external_tables(self) -> None:
        """Every query is followed by blocks of external tables up to an empty one."""
        is_refused = False
        while self._channel.receive_block(_Nowhere()).columns:
            is_refused = True
        if is_refused:
            raise ServerError(
                NOT_IMPLEMENTED,
                "The local ClickHouse takes no external tables: insert the rows into a temporary"
                " table first",
            )

    def _insert(self, insert: Insert) -> None:
        target = InsertTarget.find(self._connection, insert)
        with Spool(self._engine.directory) as spool:
            self._channel.send_block(empty_block(target.columns))
            refusal = self._receive_rows(target, spool)
            if refusal is not None:
                raise refusal
            if spool.rows:
                self._send_progress(self._connection.run(insert.from_file(spool.path())))

    def _receive_rows(self, target: InsertTarget, spool: Spool) -> ServerError | None:
        """Takes every block, even after one is refused: the client sends all before it reads."""
        refusal: ServerError | None = None
        while True:
            block = self._channel.receive_block(_Nowhere() if refusal else spool)
            if not block.columns:
                return refusal
            spool.rows += block.rows
            refusal = refusal or target.refuse(block) or spool.failure

    def _select(self, sql: str) -> None:
        columns = self._connection.describe(sql)
        self._channel.send_block(empty_block(columns))
        retype = _zones(columns)
        last = Result(b"")
        with closing(self._connection.stream(sql)) as stream:
            for last in stream:
                block = next(_blocks(last.data, retype))[1] if retype else last.data
                self._channel.send_block(block)
                if self._channel.is_cancelled():
                    break
        self._send_progress(last)

    def _run(self, statement: Statement) -> None:
        """A statement that does not stream: its result is small, and there when it is done."""
        result = self._connection.run(statement.text)
        if result.data:
            for place, (columns, block) in enumerate(_blocks(result.data)):
                if not place:
                    self._channel.send_block(empty_block(columns))
                self._channel.send_block(block)
        elif statement.keyword in SHOWING:
            self._channel.send_block(empty_block(self._connection.shown_columns(statement.text)))
        self._send_progress(result)

    def _send_progress(self, result: Result) -> None:
        self._channel.send(
            packets.progress(
                result.rows_read,
                result.bytes_read,
                written_rows=result.rows_written,
                written_size=result.bytes_written,
            )
        )


class _Nowhere:
    """Where blocks go that nobody wants."""

    def write(self, data: bytes | memoryview, /) -> None:
        """Forgets."""


def _method(query: Query) -> Method | None:
    """How this query's blocks are compressed; frames from the client name their own method."""
    if not query.compressed:
        return None
    wanted = query.settings.get("network_compression_method")
    return Method.ZSTD if wanted and wanted.value.upper() == "ZSTD" else Method.LZ4


_Retype = Callable[[int, Column], str]


def _zones(columns: list[Column]) -> _Retype | None:
    """Gives DateTime columns their zone back, which Native format leaves out at the top level."""
    if not any(column.type.startswith("DateTime(") for column in columns):
        return None
    return lambda place, column: columns[place].type if column.type == "DateTime" else column.type


def _blocks(
    data: bytes, retype: _Retype | None = None
) -> Iterator[tuple[tuple[Column, ...], bytes]]:
    """The blocks that follow each other in `data`, each with its columns."""
    reader = Reader(iter([data, b""]).__next__)
    while not reader.ended():
        out = BytesIO()
        shape = copy_block(reader, out, retype)
        yield shape.columns, out.getvalue()
