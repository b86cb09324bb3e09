"""Events of every type with a mark in every sensitive field, as they should be and broken."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, get_args, get_type_hints

from msgspec import Struct

from schemas.events import EVENT_TYPES
from schemas.events.reference import FACT_TYPES
from schemas.fields import PersonalDate, metadata, sensitive_fields
from tests.schemas.examples import examples

MARK = "MARKED"
DAYS = ("1913-04-27", "1913-04-28")
"""Days that are marks: no event, log line or version has such a one otherwise."""
MARKS = (MARK, *DAYS)
NUMBERED = "NUMBERED"
"""Marks the numbers of accounts and cards, which only who asks for a customer may see."""
ACCOUNTS = ("account", "card")
"""Not marked in the schemas, as tables and rules need them; still nothing for a log."""

Example = dict[str, Any]


def marked_events() -> Iterator[Example]:
    """The fullest example of every type, marked."""
    for name, struct in (EVENT_TYPES | FACT_TYPES).items():
        full = deepcopy(max(examples(name), key=lambda one: len(json.dumps(one))))
        data: type[Struct] = get_type_hints(struct)["data"]
        full["data"] |= _marks(data, name)
        full |= {"id": f"whole-{name}", "time": "2026-11-20T09:00:00Z"}
        for field in ACCOUNTS:
            if field in full["data"]:
                full["data"][field] = f"{NUMBERED}-{field}"
        yield full


def _marks(struct: type[Struct], where: str) -> Example:
    """Sensitive field → a mark that it takes, through lists of structs."""
    found: Example = {}
    hints = get_type_hints(struct, include_extras=True)
    for name in sensitive_fields(struct):
        is_day = metadata(hints[name]) == metadata(PersonalDate)
        found[name] = DAYS[0] if is_day else f"{MARK} {where} {name}"
    for name, hint in hints.items():
        for part in _parts(hint):
            if sensitive_fields(part):
                inner = _marks(part, f"{where} {name}")
                needed = {"relation": "spouse"} if "relation" in get_type_hints(part) else {}
                found[name] = [needed | inner]
    return found


def _parts(hint: Any) -> Iterator[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
    for part in get_args(hint):
        yield from _parts(part)


def broken(events: list[Example]) -> Iterator[tuple[str, bytes]]:
    """What is wrong → a message that is no event for it, with marks in it. Each field of the data,
    sensitive or not, in turn holds something that it does not take."""
    for event in events:
        for field in event["data"]:
            for wrong in (
                [f"{MARK} in a list"],
                {f"{MARK} as a key": f"{MARK} under it"},
                f"{MARK} '\"quoted\"' " * 300,
                int("13" * 30),
            ):
                data = event["data"] | {field: wrong}
                yield f"{event['type']}.{field}", json.dumps(event | {"data": data}).encode()
    event = events[0]
    for field in ("id", "source", "subject", "time", "specversion", "type", "datacontenttype"):
        for wrong in ({MARK: MARK}, f"{MARK} {MARK} with blanks", None):
            yield field, json.dumps({**event, field: wrong}).encode()
    whole = json.dumps(event).encode()
    yield "torn", whole[: len(whole) // 2] + MARK.encode()
    yield "no JSON", f"name={MARK}&phone={MARK}".encode()
    yield "not UTF-8", whole.replace(b'"name": "', b'"name": "\xff\xfe')
    yield "a day of no calendar", whole.replace(DAYS[0].encode(), b"1913-02-31")
    yield "nested", b'{"data":' + b'{"%s":' % MARK.encode() * 100 + b"1" + b"}" * 101


def found_in(text: str | bytes, marks: tuple[str, ...]) -> list[str]:
    """Where marks are: the mark with what is around it."""
    shown = text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
    return [
        shown[max(0, at - 80) : at + 80].replace("\n", "⏎")
        for mark in marks
        if (at := shown.find(mark)) >= 0
    ]


def key_of(event: Mapping[str, Any]) -> bytes:
    return str(event["subject"]).encode()
