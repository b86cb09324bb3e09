"""What a request asks for: its URL, its headers and the fields of a form, taken apart."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from sinks.local_clickhouse.errors import (
    AUTHENTICATION_FAILED,
    BAD_ARGUMENTS,
    INVALID_SESSION_TIMEOUT,
    NOT_IMPLEMENTED,
    ServerError,
)
from sinks.local_clickhouse.packets import Setting

MAX_SESSION_SECONDS = 3600
_LAST_PLAIN_REVISION = 54453
_MAX_ID = 200
_ON = ("1", "true")
# Known to a server, without a meaning here.
_IGNORED = frozenset({"quota_key", "stacktrace", "buffer_size"})


@dataclass(slots=True, repr=False)
class Asked:
    """A request without its body. `revision` is of Native results; 0 is the plain format.

    It has no `repr`: its query and password must not reach a log.
    """

    query: str = ""
    query_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    user: str = ""
    password: str = ""
    database: str = ""
    format: str = ""
    session: str = ""
    session_seconds: int = 60
    session_must_exist: bool = False
    revision: int = 0
    waits_for_end: bool = False
    has_framed_answer: bool = False
    has_framed_body: bool = False
    settings: dict[str, Setting] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)


def read_request(headers: Mapping[str, str], fields: Iterable[tuple[str, str]]) -> Asked:
    """Raises `ServerError` for what cannot be served."""
    asked = Asked()
    asked.user, asked.password = _credentials(headers)
    asked.database = headers.get("X-ClickHouse-Database", "")
    asked.format = headers.get("X-ClickHouse-Format", "")
    add_fields(asked, fields)
    return asked


def add_fields(asked: Asked, fields: Iterable[tuple[str, str]]) -> None:
    """Parameters of the URL, or fields of a form: those with a meaning, else settings."""
    for name, value in fields:
        if not _is_utf8(name + value):
            raise ServerError(BAD_ARGUMENTS, "A parameter is not UTF-8")
        if name.startswith("param_"):
            asked.parameters[name.removeprefix("param_")] = value
        elif name == "query_id":
            asked.query_id = _query_id(value)
        elif name in _TEXTS:
            setattr(asked, _TEXTS[name], value)
        elif name in _SWITCHES:
            setattr(asked, _SWITCHES[name], value.lower() in _ON)
        elif name == "session_timeout":
            asked.session_seconds = _seconds(value)
        elif name == "client_protocol_version":
            asked.revision = _revision(value)
        elif name == "role":
            raise ServerError(NOT_IMPLEMENTED, "The local ClickHouse has no roles")
        elif name.endswith("_structure"):
            raise external_table()
        elif name not in _IGNORED:
            asked.settings[name] = Setting(value, important=True)


def external_table() -> ServerError:
    """The error for a request that brings one."""
    return ServerError(
        NOT_IMPLEMENTED,
        "The local ClickHouse takes no external tables: insert the rows into a temporary table"
        " in a session first",
    )


_TEXTS = {
    "query": "query",
    "user": "user",
    "password": "password",
    "database": "database",
    "default_format": "format",
    "session_id": "session",
}
_SWITCHES = {
    "wait_end_of_query": "waits_for_end",
    "session_check": "session_must_exist",
    "compress": "has_framed_answer",
    "decompress": "has_framed_body",
}


def _credentials(headers: Mapping[str, str]) -> tuple[str, str]:
    given = headers.get("Authorization", "")
    if not given:
        return headers.get("X-ClickHouse-User", ""), headers.get("X-ClickHouse-Key", "")
    scheme, _, rest = given.partition(" ")
    with suppress(ValueError, binascii.Error):
        if scheme.lower() == "basic":
            user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
            return user, password
    raise ServerError(
        AUTHENTICATION_FAILED, "The Authorization header is not Basic with a user and a password"
    )


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _query_id(value: str) -> str:
    if len(value) > _MAX_ID or not (value.isascii() and value.isprintable()):
        raise ServerError(
            BAD_ARGUMENTS, f"A query_id has at most {_MAX_ID} letters, digits and signs of ASCII"
        )
    return value


def _seconds(value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) <= MAX_SESSION_SECONDS):
        raise ServerError(
            INVALID_SESSION_TIMEOUT,
            f"Session timeout {value[:40]!r} is not a number of seconds up to"
            f" {MAX_SESSION_SECONDS}",
        )
    return int(value)


def _revision(value: str) -> int:
    if not (value.isascii() and value.isdigit() and int(value) <= _LAST_PLAIN_REVISION):
        raise ServerError(
            BAD_ARGUMENTS,
            f"client_protocol_version {value[:40]!r}: the local ClickHouse writes Native blocks up"
            f" to revision {_LAST_PLAIN_REVISION}",
        )
    return int(value)
