"""Files of events and facts, one JSON line each: by itself, or a line of `vipcare bank --out`.

Every line is read before anything is sent, so that a file is sent whole or not at all. Each is
judged as the worker does, as far as that needs no customer's record.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from agents.bank.lines import from_line, removal_from_line
from agents.oddities import Oddities
from schemas.decode import decode_event, decode_fact, subject_of, type_of
from schemas.envelope import is_customer_id
from schemas.events import EVENT_TYPES
from schemas.events.core import CustomerUpdated
from schemas.events.reference import FACT_TYPES, TOPIC_OF_KIND, ExchangeRateSet
from streams.attributes import NONE_DECLARED
from streams.context import CoreSettings
from streams.duplicates import fingerprint
from streams.facts import FactBook
from streams.inputs import Input, Raw
from streams.intake import Entry, read
from streams.partitioning import partition_of
from streams.rules.example_fields import wrong_fields

_NO_CHOICE = "Invalid enum value"
"""So the decoder begins, which shows no choices."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line, judged. It can be sent if it has a topic."""

    number: int
    topic: str
    """Where it belongs; empty if that cannot be told."""
    key: bytes
    value: bytes | None
    """None removes the fact of this key."""
    problem: str = ""
    """Why it would be a dead letter, or a fact that is refused; without any value."""
    unknown: str = ""
    """The event's type, if this version does not know it."""
    undeclared: tuple[str, ...] = ()
    """Attributes that nobody declared: the worker leaves them out."""
    idle: str = ""
    """Why the worker would take it and nothing would come of it."""
    odd: tuple[str, ...] = ()
    """What the worker would take and hardly anyone means."""


_NO_LINES = {
    b"\x1f\x8b": "packed by gzip: unpack it first",
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it first",
    b"BZh": "packed by bzip2: unpack it first",
    b"\xfd7zXZ": "packed by xz: unpack it first",
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"PAR1": "Parquet: an archive of it has a name that ends in .parquet",
    b"\xff\xfe": "UTF-16: save it as UTF-8",
    b"\xfe\xff": "UTF-16: save it as UTF-8",
}
"""How files begin that are no lines of text."""


def no_lines(beginning: bytes) -> str:
    """What a file is that has no lines of text, and what to do; empty if it may have some."""
    return next((told for magic, told in _NO_LINES.items() if beginning.startswith(magic)), "")


def spread_json(raw: bytes) -> str:
    """What to do with a file that is one JSON value, a list or over several lines; empty if it is
    none."""
    text = raw.strip().removeprefix(_BYTE_ORDER_MARK)
    if not text.startswith(b"[") and b"\n" not in text:
        return ""
    try:
        whole = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return ""
    which = ".[]" if isinstance(whole, list) else "."
    return f"it is one JSON value, not one event a line; `jq -c '{which}'` makes lines of it"


def read_lines(lines: Iterable[bytes], core: CoreSettings, now: int) -> Iterator[Line]:
    """Judge every line that is not blank; never raises for what a line holds.

    `now` is the bank's time, epoch milliseconds.
    """
    judge = _Judge(core, now)
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix(_BYTE_ORDER_MARK)
        if not text:
            continue
        whole = from_line(text)
        if removal := removal_from_line(text):
            yield _removal(Line(number, removal.topic, removal.key.encode(), None))
        elif whole is None:
            key = (subject_of(text) or "").encode(errors="replace")
            yield judge.line(Line(number, "", key, text))
        else:
            yield judge.line(Line(number, whole.topic, whole.key, whole.value))


class _Judge:
    """Knows the lines so far."""

    def __init__(self, core: CoreSettings, now: int) -> None:
        self._core = core
        self._horizon = now + core.future_tolerance
        self._facts = FactBook()
        self._oddities = Oddities(now, core.time_zone)
        self._first: dict[tuple[str, str, str], tuple[int, bytes]] = {}
        """Customer, source and id → the line of the first such event, and what it says."""

    def line(self, line: Line) -> Line:
        assert line.value is not None, "a removal is judged by its key"
        if type_of(line.value) in FACT_TYPES:
            return self._fact(line)
        partition = partition_of(line.key, self._core.partitions)
        entry = read(Raw(line.topic, partition, line.number, line.key, line.value), self._core)
        if entry.unknown:
            return _unknown(line, entry.unknown)
        if event_class := EVENT_TYPES.get(type_of(line.value) or ""):
            line = line._replace(topic=line.topic or event_class.topic)
        if entry.problem is not None:
            return line._replace(problem=_with_choices(entry.problem.detail, line.value or b""))
        assert entry.input is not None, "else it is unknown or has a problem"
        line = line._replace(
            undeclared=_undeclared(entry), odd=self._oddities.of(entry.input.event)
        )
        if entry.input.at > self._horizon:
            problem = "its time is ahead of the bank clock (step.future_tolerance_s)"
            return line._replace(problem=problem)
        return self._once(line, entry.input)

    def _once(self, line: Line, given: Input) -> Line:
        event, said = given.event, fingerprint(given)
        name = (event.subject, event.source, event.id)
        number, first = self._first.setdefault(name, (line.number, said))
        if number == line.number:
            return line
        if first != said:
            return line._replace(problem=f"line {number} has another event of its source and id")
        return line._replace(idle=f"it is line {number} again, which counts once")

    def _fact(self, line: Line) -> Line:
        assert line.value is not None, "a removal is judged by its key"
        topic = line.topic or FACT_TYPES[type_of(line.value) or ""].topic
        line = line._replace(topic=topic)
        if problem := self._facts.take(Raw(topic, 0, line.number, line.key, line.value)):
            return line._replace(problem=problem)
        line = line._replace(odd=self._oddities.of(fact := decode_fact(line.value or b"")))
        base = self._core.base_currency
        if (
            isinstance(fact, ExchangeRateSet)
            and fact.data.exchange_rate == base
            and fact.data.rate != 1
        ):
            idle = f"{base} is the base currency (step.base_currency): it is never converted"
            return line._replace(idle=idle)
        return line


def _with_choices(problem: str, value: bytes) -> str:
    """With what may stand where something else does."""
    event_class = EVENT_TYPES.get(type_of(value) or "")
    if event_class is not None and problem.startswith(_NO_CHOICE):
        data = msgspec.json.decode(value)["data"]
        for wrong in wrong_fields(event_class, data, NONE_DECLARED):
            if problem.endswith(f"`$.data.{wrong.path}`"):
                return f"{problem}: it {wrong.message}"
    return problem


def _removal(line: Line) -> Line:
    kind, _, name = line.key.decode().partition(":")
    topic = TOPIC_OF_KIND.get(kind, "")
    if not topic or not name:
        return line._replace(problem="only a fact is removed, by a key such as exchange_rate:USD")
    if line.topic not in ("", topic):
        return line._replace(problem=f"it belongs to {topic}")
    return line._replace(topic=topic)


def _undeclared(entry: Entry) -> tuple[str, ...]:
    """Names of the attributes that the worker would leave out."""
    if not entry.undeclared or entry.input is None:
        return ()
    given, kept = decode_event(entry.raw.value or b""), entry.input.event
    assert isinstance(given, CustomerUpdated)
    assert isinstance(kept, CustomerUpdated)
    return tuple(sorted({*(given.data.attributes or ())} - {*(kept.data.attributes or ())}))


def _unknown(line: Line, event_type: str) -> Line:
    assert line.value is not None, "a removal has no type"
    if not is_customer_id(subject_of(line.value) or ""):
        return line._replace(problem="the event names no subject")
    return line._replace(unknown=event_type)
