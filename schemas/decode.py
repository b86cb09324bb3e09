"""From the bytes of a message to an event, in one pass; or to the reason why not."""

import re
from collections.abc import Callable, Container

import msgspec

from schemas.envelope import Event, is_customer_id
from schemas.events import EVENT_TYPES, AnyEvent
from schemas.events.fact import Fact
from schemas.events.reference import FACT_TYPES, AnyFact

MAX_EVENT_BYTES = 512 * 1024
MAX_DEPTH = 64
"""Of arrays and objects within each other. A number of ours: how deep the decoder gets depends on
who calls it, and the worker, the sink and the oracle must agree on every event."""


class UnknownTypeError(Exception):
    """The message is an event or a fact of a type that this version does not know: skip it and
    count it."""

    def __init__(self, event_type: str) -> None:
        super().__init__(event_type)
        self.event_type = event_type


class BrokenEventError(ValueError):
    """The message is not an event. Its text says what and where, and shows no value."""


class _Type(msgspec.Struct):
    type: str


class _Subject(msgspec.Struct):
    subject: str


_event: Callable[[bytes], Event] = msgspec.json.Decoder(AnyEvent).decode
_fact: Callable[[bytes], Fact] = msgspec.json.Decoder(AnyFact).decode
encode_event = msgspec.json.Encoder(decimal_format="string").encode
"""An event as it is sent: what decode_event reads."""
_decode_type = msgspec.json.Decoder(_Type).decode
_decode_subject = msgspec.json.Decoder(_Subject).decode
_WRONG = (msgspec.DecodeError, UnicodeError, ValueError)
_UNREADABLE = (*_WRONG, RecursionError)
NO_TYPE = "(no name of a type)"
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]*")
"""What a type may look like. Anything else came into its place by mistake, and may be personal."""
_QUOTED = re.compile(r"""['"].*['"]""", re.DOTALL)
"""From the first quote to the last: a quoted value may hold quotes itself."""
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A bracket, or a whole string: brackets inside it do not nest."""
_LIST = ord("[")
_STEPS = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


def decode_event(value: bytes) -> Event:
    """Decode one structured-mode CloudEvent.

    Raises UnknownTypeError for a well-formed message of another type, BrokenEventError for
    anything else.
    """
    # What fits is seen without a call; looking for a list costs a tenth of counting.
    if len(value) > MAX_EVENT_BYTES or _LIST in value or value.count(b"{") > MAX_DEPTH:
        _refuse_too_large(value)
    try:
        event = _event(value)
    except _WRONG as error:
        raise _why(value, error, EVENT_TYPES) from None
    if not is_customer_id(event.subject):
        raise BrokenEventError(
            "the subject is no customer's id: 1 to 64 characters, no blanks - at `$.subject`"
        )
    return event


def decode_fact(value: bytes) -> Fact:
    """Decode one fact of a global topic. Raises as `decode_event` does."""
    _refuse_too_large(value)
    try:
        fact = _fact(value)
    except _WRONG as error:
        raise _why(value, error, FACT_TYPES) from None
    if fact.subject != fact.own_subject():
        raise BrokenEventError(
            f"the subject is not `{fact.kind()}:` and what data.{fact.kind()} says - at `$.subject`"
        )
    return fact


def _refuse_too_large(value: bytes) -> None:
    if len(value) > MAX_EVENT_BYTES:
        raise BrokenEventError(
            f"the event has {len(value)} bytes, at most {MAX_EVENT_BYTES} are taken"
        )
    if _is_too_deep(value):
        raise BrokenEventError(f"the event is nested more than {MAX_DEPTH} deep")


def _why(value: bytes, error: Exception, types: Container[str]) -> Exception:
    """What to raise for a message that could not be decoded."""
    event_type = type_of(value)
    if event_type is not None and event_type not in types:
        return UnknownTypeError(event_type[:100] if _WORD.fullmatch(event_type) else NO_TYPE)
    # A decoder's message may quote the offending value, which may identify a person.
    return BrokenEventError(_QUOTED.sub("'…'", str(error)))


def _is_too_deep(value: bytes) -> bool:
    lists = value.count(b"[") if _LIST in value else 0  # looking for one costs a tenth of counting
    if value.count(b"{") + lists <= MAX_DEPTH:
        return False
    depth = 0
    for token in _BRACKETS.finditer(value):
        depth += _STEPS.get(token[0], 0)
        if depth > MAX_DEPTH:
            return True
    return False


def type_of(value: bytes) -> str | None:
    """The type that a message names, good or not; None if it names none."""
    try:
        return _decode_type(value).type
    except _UNREADABLE:
        return None


def subject_of(value: bytes) -> str | None:
    """The subject that a message names, an id or not; None if it names none."""
    try:
        return _decode_subject(value).subject
    except _UNREADABLE:
        return None
