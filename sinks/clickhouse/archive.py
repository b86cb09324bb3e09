"""Events and facts as messages again, out of the rows that the sink stored.

Fields that identify a person are not stored, so they are missing: the members of a family without
their birthdays, the customer's, and a bank's own attributes.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from clickhouse_driver import Client

from schemas.envelope import from_millis
from schemas.events.reference import FACT_TYPES
from sinks.clickhouse.events import FIELDS

EVENTS = (
    "SELECT topic, partition, offset, toUnixTimestamp64Milli(received), type, source, id, "
    f"customer, toUnixTimestamp64Milli(time), rest, {', '.join(f'`{name}`' for name in FIELDS)} "
)
"""What is read of an event, `FROM` PLAYABLE or what was written out of it."""
PLAYABLE = (
    "events WHERE (topic, partition, offset) NOT IN (SELECT topic, partition, offset "
    "FROM dead_letters WHERE reason IN ('broken', 'wrong_key'))"
)
"""The view `events` without what looks like an event only here: a row has neither the Kafka key nor
attributes, so nobody sees again why its message was refused. Whatever else was refused is judged
anew when it is played, as out of Kafka."""
FACTS = (
    "SELECT topic, offset, toUnixTimestamp64Milli(received), kind, name, removed, source, id, "
    "toUnixTimestamp64Milli(time), data "
)
"""Likewise of a fact, `FROM` the view `facts_history`."""
_TYPE_OF = {fact.kind(): name for name, fact in FACT_TYPES.items()}
_BLOCK = {"max_block_size": 10_000}
_encode = msgspec.json.Encoder().encode


class Stored(NamedTuple):
    """A message, as far as it was stored."""

    topic: str
    partition: int
    offset: int
    received: int
    """Kafka's record timestamp, real time, epoch milliseconds."""
    key: str
    value: bytes | None


def stored_events(client: Client, customer: str | None = None) -> Iterator[Stored]:
    """Every event message that is PLAYABLE, or one customer's, duplicates that were sent included.

    Raises FAILURES of address.py.
    """
    mine = "" if customer is None else "AND customer = %(customer)s"
    asked, names = f"{EVENTS} FROM {PLAYABLE} {mine}", {"customer": customer}
    return map(event_of, client.execute_iter(asked, names if mine else None, settings=_BLOCK))


def oldest_event(client: Client) -> int:
    """The time of the oldest event, epoch milliseconds; 0 if there is none. Raises as above."""
    ((at,),) = client.execute("SELECT toUnixTimestamp64Milli(min(time)) FROM events_raw")
    return int(at)


def stored_facts(client: Client) -> Iterator[Stored]:
    """Every fact that was ever told, and removals. Raises as above."""
    rows = client.execute_iter(f"{FACTS} FROM facts_history", settings=_BLOCK)
    return map(fact_of, rows)


def event_of(row: Sequence[Any]) -> Stored:
    """The message of a row of EVENTS; decimals may be texts."""
    topic, partition, offset, received, kind, source, name, customer, at, rest, *fields = row
    data = msgspec.json.decode(rest)
    for field, value in zip(FIELDS, fields, strict=True):
        if value is not None:
            data[field] = _plain(value) if isinstance(value, Decimal) else value
    value = _event(kind, source, name, customer, at, data)
    return Stored(topic, partition, offset, received, customer, value)


def fact_of(row: Sequence[Any]) -> Stored:
    """The message of a row of FACTS."""
    topic, offset, received, kind, name, removed, source, named, at, data = row
    key = f"{kind}:{name}"
    told = msgspec.json.decode(data)
    value = None if removed else _event(_TYPE_OF.get(kind, kind), source, named, key, at, told)
    return Stored(topic, 0, offset, received, key, value)


def _event(kind: str, source: str, name: str, subject: str, at: int, data: Any) -> bytes:
    event = {"specversion": "1.0", "id": name, "source": source, "type": kind}
    return _encode(event | {"subject": subject, "time": from_millis(at), "data": data})


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
