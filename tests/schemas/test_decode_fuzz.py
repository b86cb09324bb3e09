"""Whatever comes, the decoder gives an event or one of two errors, and repeats no value."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.decode import MAX_DEPTH, BrokenEventError, UnknownTypeError, decode_event
from schemas.envelope import Event
from schemas.events import EVENT_TYPES
from tests.schemas.examples import EVENT_EXAMPLES

SECRET = "Zeng"
Path = tuple[str | int, ...]

secrets = st.tuples(st.text(max_size=5), st.text(max_size=5)).map(SECRET.join)
quoted = st.sampled_from(["'", "`", "it's ", '"', "\n", "' - at `$`", "\\'"])
secrets = st.one_of(secrets, st.builds(lambda a, b: a + SECRET + b, quoted, quoted))
leaves = st.one_of(
    secrets,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["NaN", "Infinity", "1e999", "-0", "1_000", "2026-02-30", "\ud800"]),
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(secrets, inner, max_size=3),
    max_leaves=6,
)


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    names = list(value) if isinstance(value, dict) else []
    names = list(range(len(value))) if isinstance(value, list) else names
    for name in names:
        yield from _paths(value[name], (*path, name))


@st.composite
def mutated_examples(draw: st.DrawFn) -> bytes:
    """An example in which a field or two is replaced, removed, or said under another name."""
    event: Any = copy.deepcopy(draw(st.sampled_from(EVENT_EXAMPLES)))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([path for path in _paths(event) if path]))
        holder = event
        for name in path[:-1]:
            holder = holder[name]
        match draw(st.integers(0, 3)):
            case 0:
                del holder[path[-1]]
            case 1 if isinstance(holder, dict):
                holder[draw(secrets)] = holder.pop(path[-1])
            case _:
                holder[path[-1]] = draw(values)
    return json.dumps(event).encode()


def _decode(value: bytes) -> Event | None:
    """The event, or None after one of the two errors, which are looked at."""
    try:
        event = decode_event(value)
    except (UnknownTypeError, BrokenEventError) as error:
        _check(error)
        return None
    assert SECRET not in repr(event.data)
    return event


def _check(error: UnknownTypeError | BrokenEventError) -> None:
    if isinstance(error, UnknownTypeError):
        assert error.event_type not in EVENT_TYPES
    else:
        assert SECRET not in str(error)
        assert len(str(error)) < 300
        assert error.__cause__ is None


@given(st.binary(max_size=300))
@example(b"[" * 100_000)
@example(b'{"type":' * 100_000)
def test_any_bytes(value: bytes) -> None:
    _decode(value)


@pytest.mark.parametrize("frames", [0, 500])
@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, 900, 200_000])
@pytest.mark.parametrize("last", [b'"type":"?",', b'"specversion":7,', b""])
def test_too_deep_is_the_same_for_every_caller(last: bytes, depth: int, frames: int) -> None:
    """Also behind an error, where only the type is looked for."""
    event = json.dumps(EVENT_EXAMPLES[0]).encode()
    value = b"{" + last + b'"deep":' + b"[" * depth + b"]" * depth + b"," + event[1:]

    def said(frames: int) -> str:
        if frames:
            return said(frames - 1)
        try:
            return repr(decode_event(value))
        except (UnknownTypeError, BrokenEventError) as error:
            return str(error)

    assert ("nested more than" in said(frames)) == (depth >= MAX_DEPTH)


@given(st.text('[]{}"\\,:a', max_size=200), st.integers(0, MAX_DEPTH + 1))
def test_brackets_in_strings_do_not_nest(text: str, depth: int) -> None:
    event = json.dumps(EVENT_EXAMPLES[0] | {"note": text * 20}).encode()
    value = b'{"deep":' + b"[" * depth + b"0" + b"]" * depth + b"," + event[1:]
    assert (_decode(value) is not None) == (depth < MAX_DEPTH)


@given(st.text(max_size=300))
def test_any_text(value: str) -> None:
    _decode(value.encode("utf-8", "surrogatepass"))


@settings(max_examples=400)
@given(mutated_examples())
def test_mutated_examples(value: bytes) -> None:
    event = _decode(value)
    if event is not None:
        assert type(event) is EVENT_TYPES[event.event_type()]


@given(st.sampled_from(EVENT_EXAMPLES), st.data())
def test_bytes_cut_out_of_an_example(event: dict[str, Any], data: st.DataObject) -> None:
    whole = json.dumps(event, ensure_ascii=False).encode()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    _decode(whole[:start] + whole[end:])


@given(st.sampled_from(EVENT_EXAMPLES), st.text(min_size=1, max_size=30), st.booleans())
def test_another_type_is_unknown_not_broken(
    event: dict[str, Any], other: str, with_data: bool
) -> None:
    changed = event | {"type": other} | ({} if with_data else {"data": {"n": 1}})
    value = json.dumps(changed).encode()
    if other not in EVENT_TYPES:
        with pytest.raises(UnknownTypeError):
            decode_event(value)
