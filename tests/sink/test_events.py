"""Every type of event as a row: its columns, the rest, and nothing that identifies a person."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from itertools import cycle, islice
from typing import Any

import msgspec
import pytest
from clickhouse_driver import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from schemas.dead_letters import Reason, dead_letter
from schemas.decode import decode_event
from schemas.envelope import Event
from schemas.events import EVENT_TYPES
from schemas.fields import sensitive_fields
from sinks.clickhouse.address import Address
from sinks.clickhouse.batch import make_batch
from sinks.clickhouse.events import COLUMNS, FIELDS, event_rows
from sinks.clickhouse.message import Message, Row
from sinks.clickhouse.tables import EVENTS
from sinks.clickhouse.writer import Writer
from tests.schemas.examples import EVENT_EXAMPLES, examples
from tests.sink.strategies import SECRET, SECRET_DAY, of
from tests.sink.taken import taken
from tests.sink.twin import event_row

encode = msgspec.json.Encoder(decimal_format="string").encode
events = st.one_of(*(of(struct) for struct in EVENT_TYPES.values()))


def message_of(event: Event, offset: int = 0, timestamp: int = 1_700_000_000_000) -> Message:
    return Message(event.topic, 1, offset, timestamp, encode(event), [])


def write(address: Address, messages: list[Message]) -> None:
    writer = Writer(address)
    for table, rows in make_batch(taken(messages)).rows.items():
        writer.insert(table, rows)
    writer.close()


def row_of(message: Message) -> Row:
    return event_rows(taken([message]).all()).row(0)


@settings(max_examples=100, deadline=None)
@given(st.lists(events, max_size=20))
def test_columns_are_the_rows_of_the_twin(found: list[Event]) -> None:
    _agrees_with_the_twin([message_of(event, offset) for offset, event in enumerate(found)])


@settings(max_examples=5, deadline=None)
@given(st.lists(events, min_size=1, max_size=20))
def test_a_batch_of_many_pieces_is_the_rows_of_the_twin(found: list[Event]) -> None:
    many = islice(cycle(found), 2_500)
    _agrees_with_the_twin([message_of(event, offset) for offset, event in enumerate(many)])


def _agrees_with_the_twin(messages: list[Message]) -> None:
    rows = event_rows(taken(messages).all())
    offsets = [message.offset for message in rows.messages]
    assert sorted(offsets) == list(range(len(messages)))
    for place, message in enumerate(rows.messages):
        assert rows.row(place) == event_row(message)


@settings(max_examples=300, deadline=None)
@given(events)
def test_nothing_that_identifies_a_person_is_in_a_row(event: Event) -> None:
    text = repr(row_of(message_of(event)))
    assert SECRET not in text
    assert SECRET_DAY not in text


@pytest.mark.parametrize("struct", EVENT_TYPES.values(), ids=list(EVENT_TYPES))
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_every_other_field_is_in_a_column_or_in_the_rest(
    struct: type[Event], data: st.DataObject
) -> None:
    event = data.draw(of(struct))
    row = dict(zip(COLUMNS, row_of(message_of(event)), strict=True))
    hidden = sensitive_fields(type(event.data))
    rest = json.loads(str(row["rest"]))
    for name in event.data.__struct_fields__:
        value = getattr(event.data, name)
        if name in hidden:
            assert name not in rest
        elif name in FIELDS:
            assert row[name] == value
            assert name not in rest
        elif value is UNSET:
            assert name not in rest
        else:
            assert (name in rest) == (value is not None or _is_patch(event))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(found=st.lists(events, max_size=40))
def test_what_a_reader_sees_is_what_was_sent(
    client: Client, address: Address, found: list[Event]
) -> None:
    client.execute("TRUNCATE TABLE events_raw")
    messages = [message_of(event, offset) for offset, event in enumerate(found)]
    write(address, messages)
    write(address, messages)
    names = ", ".join(f"`{name}`" for name in COLUMNS)
    rows = client.execute(f"SELECT {names} FROM events ORDER BY offset")
    assert [_seen(row) for row in rows] == [_told(one) for one in messages]


def test_every_example_is_stored_in_one_batch(client: Client, address: Address) -> None:
    shipped = [decode_event(json.dumps(example).encode()) for example in EVENT_EXAMPLES]
    messages = [message_of(event, offset) for offset, event in enumerate(shipped)]
    write(address, messages)
    names = ", ".join(f"`{name}`" for name in COLUMNS)
    rows = client.execute(f"SELECT {names} FROM events ORDER BY offset")
    assert [_seen(row) for row in rows] == [_told(one) for one in messages]
    assert {event.event_type() for event in shipped} == set(EVENT_TYPES)


def test_rows_stay_as_they_are_for_another_try(client: Client, address: Address) -> None:
    shipped = [decode_event(json.dumps(example).encode()) for example in EVENT_EXAMPLES]
    rows = event_rows(
        taken(message_of(event, offset) for offset, event in enumerate(shipped)).all()
    )
    before = [column and column.copy() for column in rows.columns]
    writer = Writer(address)
    writer.insert(EVENTS, rows)
    writer.close()
    assert client.execute("SELECT count() FROM events") == [(len(shipped),)]
    assert rows.columns == before


def test_columns_that_nobody_tells_are_not_sent() -> None:
    viewed = decode_event(json.dumps(examples("page.viewed")[0]).encode())
    rows = event_rows(taken([message_of(viewed)] * 3).all())
    told = dict(zip(COLUMNS, rows.columns, strict=True))
    assert told["id"] == [viewed.id] * 3
    assert {name for name, column in told.items() if column is None} == {*FIELDS}.difference(
        viewed.data.__struct_fields__
    )


def test_the_first_of_a_source_and_id_is_kept(client: Client, address: Address) -> None:
    first = decode_event(json.dumps(examples("account.closed")[0]).encode())
    conflict = msgspec.structs.replace(first, time=datetime(2026, 5, 5, tzinfo=UTC))
    other = msgspec.structs.replace(first, id="other")
    sent = [message_of(event, n) for n, event in enumerate((first, first, conflict, other))]
    write(address, sent)
    assert client.execute("SELECT count() FROM events") == [(4,)]
    assert client.execute("SELECT offset FROM events_unique ORDER BY offset") == [(0,), (3,)]


def test_what_the_worker_refused_does_not_stand_for_its_event(
    client: Client, address: Address
) -> None:
    """Nor does what ClickHouse refused once and holds now count as refused by the worker."""
    event = decode_event(json.dumps(examples("account.closed")[0]).encode())
    ahead = msgspec.structs.replace(event, time=datetime(2099, 5, 5, tzinfo=UTC))
    write(address, [message_of(one, n) for n, one in enumerate((ahead, event, event))])
    place = {"topic": event.topic, "partition": 1, "value": b"x", "key": b"C1"}
    letters = [
        dead_letter(Reason.FUTURE, "ahead", offset=0, **place),
        dead_letter(Reason.REFUSED, "no", offset=1, **place),
    ]
    write(
        address,
        [
            Message("vip.dead-letters", 0, n, 0, one.value, one.headers())
            for n, one in enumerate(letters)
        ],
    )
    assert client.execute("SELECT offset, time FROM events_unique") == [(1, event.time)]


def test_absurd_times_of_a_producer_stop_nothing(client: Client, address: Address) -> None:
    """Events of all years, in and beyond DateTime64's range, at timestamps that no column holds."""
    event = decode_event(json.dumps(examples("account.closed")[0]).encode())
    years = [
        msgspec.structs.replace(event, time=datetime(year, 6, 1, tzinfo=UTC))
        for year in range(1, 9_999, 2)
    ]
    stamps = (-1, 0, 2**62)
    messages = [message_of(one, n, stamps[n % 3]) for n, one in enumerate(years)]
    stored = [one for one in years if 1970 <= one.time.year < 2300]
    skipped = make_batch(taken(messages)).skipped
    assert skipped == {("bank.core", "broken"): len(years) - len(stored)}
    write(address, messages)
    assert client.execute("SELECT count() FROM events") == [(len(stored),)]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "broken"),
        (b"", "broken"),
        (b"\xff{", "broken"),
        (b'{"type": "weather.changed"}', "unknown"),
        (b'{"type": "page.viewed"}', "broken"),
    ],
)
def test_what_cannot_be_decoded_is_counted(value: bytes | None, why: str) -> None:
    skipped = make_batch(taken([Message("bank.app", 0, 0, 0, value, [])])).skipped
    assert skipped == {("bank.app", why): 1}


@settings(max_examples=200, deadline=None)
@given(
    topic=st.sampled_from(["bank.core", "vip.tasks", "vip.profiles", "vip.dead-letters"]),
    value=st.none() | st.binary(max_size=200),
    headers=st.lists(st.tuples(st.sampled_from(["vipcare-reason", "x"]), st.binary(max_size=9))),
)
def test_no_bytes_break_a_batch(
    topic: str, value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    batch = make_batch(taken([Message(topic, 0, 0, 0, value, headers)]))
    assert batch.skipped.total() + sum(map(len, batch.rows.values())) == 1


def _is_patch(event: Event) -> bool:
    return event.event_type() == "customer.updated"


def _told(message: Message) -> dict[str, Any]:
    row = dict(zip(COLUMNS, event_row(message), strict=True))
    return {**row, "rest": json.loads(str(row["rest"]))}


def _seen(row: tuple[Any, ...]) -> dict[str, Any]:
    found = dict(zip(COLUMNS, row, strict=True))
    for name in ("received", "time"):
        found[name] = round(found[name].timestamp() * 1_000)
    assert all(type(found[name]) in {Decimal, type(None)} for name in ("amount", "base_amount"))
    return {**found, "rest": json.loads(found["rest"])}
