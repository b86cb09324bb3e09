"""Messages as lines of JSON: what `vipcare bank --out` writes and `vipcare events` reads.

`{"topic": …, "key": …, "value": …, "time": …}`; the value is the message's text, so that the same
bytes come back. Bytes that are no UTF-8 stand in `value_base64` instead. A removal, which a person
writes, is `{"key": …, "value": null}`.
"""

from base64 import b64decode, b64encode

import msgspec
from msgspec import UNSET, Struct, UnsetType

from agents.bank.message import Message, iso
from schemas.envelope import to_millis
from schemas.fields import Instant


class _Line(Struct, kw_only=True, forbid_unknown_fields=True):
    topic: str
    key: str
    value: str | UnsetType = UNSET
    value_base64: str | UnsetType = UNSET
    time: Instant


class Removal(Struct, kw_only=True, forbid_unknown_fields=True):
    """Takes away what has this key: a message without a value."""

    key: str
    value: None
    topic: str = ""
    time: Instant | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Line).decode
_decode_removal = msgspec.json.Decoder(Removal).decode


def to_line(message: Message) -> bytes:
    """One line, without its end."""
    line: dict[str, str] = {"topic": message.topic, "key": message.key.decode()}
    try:
        line["value"] = message.value.decode()
    except UnicodeDecodeError:
        line["value_base64"] = b64encode(message.value).decode()
    return _encode(line | {"time": iso(message.at)})


def from_line(line: bytes) -> Message | None:
    """The message of a line; None if the line is not of this form."""
    try:
        read = _decode(line)
        if read.value is not UNSET:
            value = read.value.encode()
        elif read.value_base64 is not UNSET:
            value = b64decode(read.value_base64, validate=True)
        else:
            return None
    except (ValueError, RecursionError):
        return None
    return Message(read.topic, read.key.encode(), value, to_millis(read.time))


def removal_from_line(line: bytes) -> Removal | None:
    """The removal that a line tells of; None if the line is not of this form."""
    try:
        return _decode_removal(line)
    except (ValueError, RecursionError):
        return None
