"""Packets of the native protocol at revision 54429, the last one with plain column serialization.

A client of a newer revision speaks the older of the two. Source: ClickHouse, src/Core/Protocol.h,
src/Interpreters/ClientInfo.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from sinks.local_clickhouse.errors import (
    AUTHENTICATION_FAILED,
    NOT_IMPLEMENTED,
    ProtocolError,
    ServerError,
)
from sinks.local_clickhouse.wire import MAX_NAME_BYTES, Reader, string, varint

REVISION = 54429
MAX_QUERY_BYTES = 16 << 20
MAX_SETTINGS = 1_000
_STAGE_COMPLETE = 2
_INITIAL_QUERY = 1
_TCP = 1
_IMPORTANT = 1


class FromClient(IntEnum):
    """What a client may send."""

    HELLO = 0
    QUERY = 1
    DATA = 2
    CANCEL = 3
    PING = 4


class FromServer(IntEnum):
    """What the server answers."""

    HELLO = 0
    DATA = 1
    EXCEPTION = 2
    PROGRESS = 3
    PONG = 4
    END_OF_STREAM = 5


@dataclass(frozen=True, slots=True)
class Hello:
    """How a client introduces itself."""

    revision: int
    database: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of one query; an unknown one is an error only when it is important."""

    value: str
    important: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A query with its settings; its data packets are compressed or not, both ways."""

    text: str
    settings: dict[str, Setting]
    compressed: bool


def read_hello(reader: Reader) -> Hello:
    """The client's first packet. Raises `ProtocolError` when it is another one."""
    if reader.varint() != FromClient.HELLO:
        raise ProtocolError("the first packet is not a native protocol Hello")
    reader.string()  # the client's name
    reader.varint(), reader.varint()  # its version
    return Hello(reader.varint(), reader.string(), reader.string(), reader.string())


def read_query(reader: Reader) -> Query:
    """A query packet after its code."""
    reader.string()  # the query id
    _skip_client_info(reader)
    settings = _read_settings(reader)
    stage, compressed = reader.varint(), reader.varint()
    text = reader.string(MAX_QUERY_BYTES)
    if stage != _STAGE_COMPLETE:
        raise ProtocolError("a query that is part of a distributed one")
    return Query(text, settings, bool(compressed))


def _skip_client_info(reader: Reader) -> None:
    """Reads over who asks: one user on one machine, so nothing depends on it."""
    if reader.byte() != _INITIAL_QUERY:
        raise ProtocolError("a query on behalf of another server")
    for _ in ("user", "query id", "address"):
        reader.string()
    if reader.byte() != _TCP:
        raise ProtocolError("a query that came over another interface")
    for _ in ("system user", "host", "client"):
        reader.string()
    for _ in ("major", "minor", "revision"):
        reader.varint()
    reader.string()  # the quota key
    reader.varint()  # the client's patch version


def _read_settings(reader: Reader) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    while name := reader.string():
        flags = reader.varint()
        settings[name] = Setting(reader.string(MAX_NAME_BYTES), bool(flags & _IMPORTANT))
        if len(settings) > MAX_SETTINGS:
            raise ProtocolError(f"a query with more than {MAX_SETTINGS} settings")
    return settings


def refuse_hello(hello: Hello) -> None:
    """Raises `ServerError` for a client that cannot be served."""
    if hello.revision < REVISION:
        raise ServerError(
            NOT_IMPLEMENTED,
            f"The local ClickHouse speaks protocol revision {REVISION}, this client only"
            f" {hello.revision}: use clickhouse-driver 0.2 or a client of 2020 or later",
        )
    if hello.user not in ("", "default") or hello.password:
        raise ServerError(
            AUTHENTICATION_FAILED, "The local ClickHouse has one user, default, without a password"
        )


def hello_reply(version: tuple[int, int, int], timezone: str) -> bytes:
    """The server's introduction."""
    major, minor, patch = version
    names = string(timezone) + string("vipcare-local")
    numbers = varint(major) + varint(minor) + varint(REVISION)
    return varint(FromServer.HELLO) + string("ClickHouse") + numbers + names + varint(patch)


def exception(code: int, message: str) -> bytes:
    """An error; the fields after the message are a stack trace and "no cause"."""
    number = code.to_bytes(4, "little", signed=True)
    return (
        varint(FromServer.EXCEPTION)
        + number
        + string("DB::Exception")
        + string(f"DB::Exception: {message}")
        + string("")
        + b"\x00"
    )


def progress(
    rows: int = 0, size: int = 0, total_rows: int = 0, written_rows: int = 0, written_size: int = 0
) -> bytes:
    """What was read and written since the last one, in rows and bytes."""
    numbers = (rows, size, total_rows, written_rows, written_size)
    return varint(FromServer.PROGRESS) + b"".join(map(varint, numbers))


# What comes before a block: the code and the name of an external table, always empty.
DATA_HEADER = varint(FromServer.DATA) + string("")
