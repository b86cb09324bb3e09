"""Files of events and facts, one JSON line each: by itself, or a line of `vipcare bank --out`.

Every line is read before anything is sent, so that a file is sent whole or not at all.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from agents.bank.lines import from_line
from schemas.decode import BrokenEventError, UnknownTypeError, decode_event, decode_fact, subject_of
from schemas.envelope import Event, is_customer_id
from schemas.events.core import CustomerUpdated
from schemas.events.reference import FACT_TYPES
from streams.attributes import Attributes, WrongAttributeError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line, judged. It can be sent if it has a topic."""

    number: int
    topic: str
    """Where it belongs; empty if that cannot be told."""
    key: bytes
    value: bytes
    problem: str = ""
    """What is broken, without any value."""
    unknown: str = ""
    """The event's type, if this version does not know it."""
    undeclared: tuple[str, ...] = ()
    """Attributes that nobody declared: the worker leaves them out."""


def read_lines(lines: Iterable[bytes], attributes: Attributes) -> Iterator[Line]:
    """Judge every line that is not blank; never raises for what a line holds."""
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix(_BYTE_ORDER_MARK)
        if not text:
            continue
        whole = from_line(text)
        if whole is None:
            yield _judge(number, "", None, text, attributes)
        else:
            yield _judge(number, whole.topic, whole.key, whole.value, attributes)


def _judge(
    number: int, topic: str, key: bytes | None, value: bytes, attributes: Attributes
) -> Line:
    """`key` is None for an event by itself: then its subject is the key."""
    try:
        event = _decode(value)
    except UnknownTypeError as unknown:
        return _unknown(number, topic, key, value, unknown.event_type)
    except BrokenEventError as error:
        return Line(number, topic, key or b"", value, problem=str(error))
    subject = event.subject.encode()
    line = Line(number, topic or event.topic, key or subject, value)
    if key is not None and key != subject:
        return line._replace(problem="the key is not the event's subject")
    if isinstance(event, CustomerUpdated) and event.data.attributes:
        return _with_attributes(line, event.data.attributes, attributes)
    return line


def _decode(value: bytes) -> Event:
    """An event or a fact. Raises UnknownTypeError or BrokenEventError."""
    try:
        return decode_event(value)
    except UnknownTypeError as unknown:
        if unknown.event_type not in FACT_TYPES:
            raise
        return decode_fact(value)


def _with_attributes(line: Line, given: Mapping[str, object], attributes: Attributes) -> Line:
    try:
        kept = attributes.conform(given)
    except WrongAttributeError as error:
        return line._replace(problem=str(error))
    return line._replace(undeclared=tuple(sorted(given.keys() - kept.keys())))


def _unknown(number: int, topic: str, key: bytes | None, value: bytes, event_type: str) -> Line:
    subject = subject_of(value) or ""
    if not is_customer_id(subject):
        return Line(number, topic, key or b"", value, problem="the event names no subject")
    return Line(number, topic, key or subject.encode(), value, unknown=event_type)
