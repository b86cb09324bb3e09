"""Messages as lines, and files of events."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.bank.lines import from_line, to_line
from agents.bank.message import Message
from agents.event_file import read_lines
from streams.attributes import NONE_DECLARED
from tests.schemas.examples import EVENT_EXAMPLES

moments = st.integers(0, 4_000_000_000_000)
keys = st.text(max_size=20).map(str.encode)


@given(st.text(max_size=20), keys, st.one_of(st.binary(), st.text().map(str.encode)), moments)
def test_a_message_comes_back_from_its_line(topic: str, key: bytes, value: bytes, at: int) -> None:
    message = Message(topic, key, value, at)
    line = to_line(message)
    assert b"\n" not in line
    assert from_line(line) == message


@given(st.lists(st.binary(max_size=60) | st.sampled_from(EVENT_EXAMPLES).map(json.dumps)))
def test_a_line_is_sendable_or_has_a_problem(lines: list[Any]) -> None:
    raw = [line.encode() if isinstance(line, str) else line for line in lines]
    for line in read_lines(raw, NONE_DECLARED):
        assert raw[line.number - 1].strip()
        assert line.problem or line.unknown or (line.topic and line.key)


def test_events_by_themselves_are_keyed_and_placed() -> None:
    lines = list(
        read_lines(
            (json.dumps(event).encode() + b"\r\n" for event in EVENT_EXAMPLES), NONE_DECLARED
        )
    )
    assert [line.key.decode() for line in lines] == [e["subject"] for e in EVENT_EXAMPLES]
    assert {line.topic for line in lines} == {
        "bank.core", "bank.card", "bank.app", "bank.service", "crm.feedback",
    }  # fmt: skip
    assert not any(line.problem for line in lines)
