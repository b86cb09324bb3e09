"""A day that no calendar has is refused wherever an event has a day, and never shown."""

import copy
import json
from calendar import monthrange
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decode import BrokenEventError, decode_event
from schemas.events import EVENT_TYPES
from schemas.fields import Day, check_day
from tests.schemas.examples import EVENT_EXAMPLES
from tests.schemas.test_examples import validate_event

_is_shaped = msgspec.json.Decoder(Day).decode
NO_DAY = "2026-02-31"
shaped = st.builds(
    "{:04}-{:02}-{:02}".format, st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32)
)


def places(kind: Any, path: str = "") -> Iterator[str]:
    """Where a type has days, by its JSON Schema: `matures_on`, `family.birthday`."""
    if isinstance(kind, list):
        for one in kind:
            yield from places(one, path)
    elif isinstance(kind, dict):
        if kind.get("format") == "date":
            yield path
        for name, one in kind.get("properties", {}).items():
            yield from places(one, f"{path}.{name}".lstrip("."))
        for name in ("anyOf", "items", "additionalProperties"):
            yield from places(kind.get(name), path)


def resolved(part: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(part, dict):
        if "$ref" in part:
            return resolved(definitions[part["$ref"].rpartition("/")[2]], definitions)
        return {name: resolved(one, definitions) for name, one in part.items()}
    return [resolved(one, definitions) for one in part] if isinstance(part, list) else part


def days_of(event_type: str) -> list[str]:
    schema = msgspec.json.schema(EVENT_TYPES[event_type])
    whole = resolved(schema, schema["$defs"])
    return sorted({place.removeprefix("data.") for place in places(whole)})


DAYS = [(name, place) for name in EVENT_TYPES for place in days_of(name)]


def with_day(event_type: str, place: str, day: str) -> Any:
    """The fullest example of a type, with another day at a place."""
    found = [example for example in EVENT_EXAMPLES if example["type"] == event_type]
    event = copy.deepcopy(max(found, key=lambda example: len(json.dumps(example))))
    *path, last = place.split(".")
    holder: Any = event["data"]
    for name in path:
        holder = holder[name][-1]
    assert last in holder, "the example has every field"
    holder[last] = day
    return event


def test_the_days_that_there_are() -> None:
    assert ("deposit.placed", "matures_on") in DAYS
    assert ("customer.updated", "family.birthday") in DAYS
    assert ("customer.updated", "birthday") in DAYS


@pytest.mark.parametrize(("event_type", "place"), DAYS)
@pytest.mark.parametrize("day", [NO_DAY, "2025-02-29", "0000-01-01", "２０２６-01-01"])
def test_a_day_that_is_none_breaks_the_event(event_type: str, place: str, day: str) -> None:
    event = with_day(event_type, place, day)
    with pytest.raises(BrokenEventError) as caught:
        decode_event(json.dumps(event).encode())
    assert str(caught.value) == f"{place} is no day of the calendar - at `$.data`"
    assert not validate_event.is_valid(event), "the published schema says so too"


@pytest.mark.parametrize(("event_type", "place"), DAYS)
@pytest.mark.parametrize("day", ["0001-01-01", "2024-02-29", "9999-12-31"])
def test_a_day_is_taken(event_type: str, place: str, day: str) -> None:
    event = with_day(event_type, place, day)
    decode_event(json.dumps(event).encode())
    validate_event.validate(event)


@given(shaped)
def test_a_day_is_one_that_its_month_has(day: str) -> None:
    """Whatever passes the type's pattern and the check together."""
    year, month, number = map(int, day.split("-"))
    there_is = year > 0 and 1 <= month <= 12 and 1 <= number <= monthrange(year, month)[1]
    try:
        _is_shaped(msgspec.json.encode(day))
        check_day("day", day)
    except ValueError:
        assert not there_is
    else:
        assert there_is
