"""Messages as lines, and files of events."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.bank.lines import from_line, to_line
from agents.bank.message import Message
from agents.event_file import Line, read_lines, spread_json
from schemas.envelope import to_millis
from streams.context import CoreSettings
from tests.schemas.examples import EVENT_EXAMPLES, FACT_EXAMPLES

CORE = CoreSettings(partitions=4)
NOW = to_millis(datetime(2026, 11, 28, tzinfo=UTC))
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
    for line in read_lines(raw, CORE, NOW):
        assert raw[line.number - 1].strip()
        assert line.problem or line.unknown or (line.topic and line.key)


def test_events_by_themselves_are_keyed_and_placed() -> None:
    lines = list(
        read_lines((json.dumps(event).encode() + b"\r\n" for event in EVENT_EXAMPLES), CORE, NOW)
    )
    assert [line.key.decode() for line in lines] == [e["subject"] for e in EVENT_EXAMPLES]
    assert {line.topic for line in lines} == {
        "bank.core", "bank.card", "bank.app", "bank.service", "crm.feedback",
    }  # fmt: skip
    assert not any(line.problem for line in lines)


def judged(*lines: Any) -> list[Line]:
    return list(read_lines((json.dumps(line).encode() for line in lines), CORE, NOW))


def test_an_event_of_the_future_is_a_dead_letter_to_be() -> None:
    event = EVENT_EXAMPLES[0] | {"time": "2027-11-28T00:00:00Z"}
    (line,) = judged(event)
    assert "ahead of the bank clock" in line.problem
    soon = EVENT_EXAMPLES[0] | {"time": "2026-11-28T00:04:59Z"}
    assert not judged(soon)[0].problem


def test_two_events_of_one_source_and_id() -> None:
    event = EVENT_EXAMPLES[0]
    other = event | {"time": "2026-02-01T00:00:00Z"}
    another_customer = event | {"subject": "C7"}
    first, again, conflict, new = judged(event, event, other, another_customer)
    assert not first.problem + first.idle
    assert again.idle.startswith("it is line 1 again")
    assert not again.problem
    assert conflict.problem == "line 1 has another event of its source and id"
    assert not new.problem + new.idle


def test_a_wrong_choice_is_told_with_the_choices() -> None:
    event = next(one for one in EVENT_EXAMPLES if one["type"] == "outcome.recorded")
    (line,) = judged(event | {"data": event["data"] | {"outcome": "C100042 won it"}})
    choices = "it should be lost, no_interest, other, resolved or won"
    assert line.problem == f"Invalid enum value '…' - at `$.data.outcome`: {choices}"


def test_facts_are_judged_as_the_worker_takes_them() -> None:
    assert not any(line.problem or line.idle for line in judged(*FACT_EXAMPLES))
    (rate,) = (one for one in FACT_EXAMPLES if one["type"] == "exchange_rate.set")
    base = rate | {"subject": "exchange_rate:CNY", "data": {"exchange_rate": "CNY", "rate": "2"}}
    astray = {"topic": "bank.org", "key": rate["subject"], "value": json.dumps(rate)}
    of_base, elsewhere = judged(base, astray | {"time": "2026-11-28T00:00:00Z"})
    assert "CNY is the base currency" in of_base.idle
    assert elsewhere.problem == "it belongs to bank.reference"


def test_a_fact_is_taken_away_by_its_key() -> None:
    short, whole = judged(
        {"key": "exchange_rate:USD", "value": None},
        {"topic": "bank.org", "key": "rm:R1", "value": None, "time": "2026-11-28T00:00:00Z"},
    )
    assert short[1:5] == ("bank.reference", b"exchange_rate:USD", None, "")
    assert whole[1:5] == ("bank.org", b"rm:R1", None, "")
    astray, *no_facts = judged(
        {"topic": "bank.org", "key": "exchange_rate:USD", "value": None},
        {"key": "C100042", "value": None},
        {"key": "rm:", "value": None},
    )
    assert astray.problem == "it belongs to bank.reference"
    assert all("only a fact is removed" in line.problem for line in no_facts)


def test_one_json_value_is_no_file_of_lines() -> None:
    events = EVENT_EXAMPLES[:2]
    assert "jq -c '.[]'" in spread_json(json.dumps(events).encode())
    assert "jq -c '.[]'" in spread_json(json.dumps(events, indent=2).encode())
    assert "jq -c '.'" in spread_json(json.dumps(events[0], indent=2).encode())
    assert not spread_json("\n".join(map(json.dumps, events)).encode())
    assert not spread_json(json.dumps(events[0]).encode() + b"\n")
