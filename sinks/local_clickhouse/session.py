"""One client's conversation: its queries in, the engine's answers out."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass

from sinks.local_clickhouse import packets
from sinks.local_clickhouse.blocks import empty_block
from sinks.local_clickhouse.channel import Channel
from sinks.local_clickhouse.compression import Method
from sinks.local_clickhouse.engine import Engine, EngineConnection
from sinks.local_clickhouse.errors import (
    NOT_IMPLEMENTED,
    QUERY_WAS_CANCELLED,
    UNEXPECTED_PACKET_FROM_CLIENT,
    ConnectionEndedError,
    ProtocolError,
    ServerError,
)
from sinks.local_clickhouse.inserting import InsertTarget, Spool
from sinks.local_clickhouse.packets import FromClient, FromServer, Hello, Query
from sinks.local_clickhouse.results import native_blocks
from sinks.local_clickhouse.settings import QuerySettings
from sinks.local_clickhouse.sql import STREAMING, Insert, Statement, parse_statement
from sinks.local_clickhouse.telling import Teller
from sinks.local_clickhouse.user import User
from sinks.local_clickhouse.watching import Watch
from sinks.local_clickhouse.wire import varint

_HELLO_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Ground:
    """What all conversations share."""

    engine: Engine
    watch: Watch
    user: User


def converse(client: socket.socket, ground: Ground) -> None:
    """Serves one connected socket until the client goes.

    Raises `ProtocolError` when the client sends what cannot be understood; it has been told then.
    """
    channel = Channel(client)
    with suppress(ConnectionEndedError), closing(ground.engine.connect()) as connection:
        try:
            client.settimeout(_HELLO_SECONDS)
            hello = packets.read_hello(channel.reader)
            client.settimeout(None)
            session = Session(channel, ground, connection)
            if session.greet(hello):
                session.serve()
        except ProtocolError as error:
            with suppress(ConnectionEndedError):
                channel.send(packets.exception(UNEXPECTED_PACKET_FROM_CLIENT, str(error)))
            raise


class Session:
    """The packets of one client on one engine connection."""

    def __init__(self, channel: Channel, ground: Ground, connection: EngineConnection) -> None:
        self._channel = channel
        self._engine = ground.engine
        self._watch = ground.watch
        self._user = ground.user
        self._revision = packets.REVISION
        self._connection = connection
        self._settings = QuerySettings(connection)

    def greet(self, hello: Hello) -> bool:
        """Answers the client's Hello; False when it was refused."""
        try:
            packets.refuse_hello(hello, self._user)
            if hello.database:
                self._connection.use(hello.database)
        except ServerError as error:
            self._channel.send(packets.exception(error.code, error.message))
            return False
        self._revision = min(hello.revision, packets.REVISION)
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
                query = packets.read_query(reader, self._revision, self._engine.is_number)
                self._answer(query)
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
            else:
                self._run(statement)
        except ServerError as error:
            if not (error.code == QUERY_WAS_CANCELLED and self._channel.is_unwanted()):
                self._channel.send(packets.exception(error.code, error.message))
                return
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
                result = self._connection.run(insert.from_file(spool.path()))
                if self._revision >= packets.WRITTEN_ROWS_SINCE:  # older ones expect nothing here
                    Teller(self._channel.send, self._revision).finish(result)

    def _receive_rows(self, target: InsertTarget, spool: Spool) -> ServerError | None:
        """Takes every block, even after one is refused: the client sends all before it reads."""
        refusal: ServerError | None = None
        while True:
            block = self._channel.receive_block(_Nowhere() if refusal else spool)
            if not block.columns:
                return refusal
            spool.rows += block.rows
            refusal = refusal or target.refuse(block) or spool.failure

    def _run(self, statement: Statement) -> None:
        teller = Teller(self._channel.send, self._revision)
        is_streaming = statement.keyword in STREAMING
        blocks = native_blocks(self._connection, statement)
        with self._watch.over(self._channel.is_unwanted), closing(blocks), ExitStack() as telling:
            if not is_streaming:
                telling.enter_context(teller.listening(self._connection))
            while True:
                try:
                    block = next(blocks)
                except StopIteration as end:
                    teller.finish(end.value)
                    return
                self._channel.send_block(block)
                if is_streaming:  # the first block is out
                    telling.enter_context(teller.listening(self._connection))
                    is_streaming = False
                if self._channel.is_unwanted():
                    return


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
