"""Packets of the native protocol at revision 54429, the last one with plain column serialization.

A client of a newer revision speaks the older of the two; one of an older revision, down to 54405,
is spoken to as it speaks. Source: ClickHouse, src/Core/Protocol.h, src/Interpreters/ClientInfo.cpp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from sinks.local_clickhouse.errors import (
    AUTHENTICATION_FAILED,
    NOT_IMPLEMENTED,
    ProtocolError,
    ServerError,
)
from sinks.local_clickhouse.user import User
from sinks.local_clickhouse.wire import MAX_NAME_BYTES, Reader, string, varint

REVISION = 54429
OLDEST_REVISION = 54405  # of 2018: the first that knows LowCardinality
WRITTEN_ROWS_SINCE = 54420
_SETTINGS_AS_TEXT_SINCE = 54429
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

    def __repr__(self) -> str:
        return f"Hello({self.revision})"


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


IsNumber = Callable[[str], bool | None]
"""Whether a setting is a number (None: nobody knows it); older clients send those as varints."""


def read_query(reader: Reader, revision: int, is_number: IsNumber) -> Query:
    """A query packet after its code."""
    reader.string()  # the query id
    _skip_client_info(reader)
    settings = (
        _read_settings(reader)
        if revision >= _SETTINGS_AS_TEXT_SINCE
        else _read_typed_settings(reader, is_number)
    )
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


def _read_typed_settings(reader: Reader, is_number: IsNumber) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    while name := reader.string():
        number = is_number(name)
        if number is None:
            raise ProtocolError(
                "a setting that the local ClickHouse does not know, from a client so old that it"
                " sends settings by their types: leave it out"
            )
        value = str(reader.varint()) if number else reader.string()
        settings[name] = Setting(value, important=False)
        if len(settings) > MAX_SETTINGS:
            raise ProtocolError(f"a query with more than {MAX_SETTINGS} settings")
    return settings


def refuse_hello(hello: Hello, user: User) -> None:
    """Raises `ServerError` for a client that cannot be served."""
    if hello.revision < OLDEST_REVISION:
        raise ServerError(
            NOT_IMPLEMENTED,
            f"The local ClickHouse speaks protocol revision {OLDEST_REVISION} and later, this"
            f" client only {hello.revision}: use a client of 2019 or later",
        )
    if not user.is_let_in(hello.user, hello.password):
        raise ServerError(AUTHENTICATION_FAILED, user.refusal(hello.user))


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


class Progress(NamedTuple):
    """What a query has read and written, in rows and bytes."""

    rows: int = 0
    size: int = 0
    total_rows: int = 0
    written_rows: int = 0
    written_size: int = 0


def progress(done: Progress, revision: int) -> bytes:
    """What was done since the last one."""
    numbers = done if revision >= WRITTEN_ROWS_SINCE else done[:3]
    return varint(FromServer.PROGRESS) + b"".join(map(varint, numbers))


# What comes before a block: the code and the name of an external table, always empty.
DATA_HEADER = varint(FromServer.DATA) + string("")
