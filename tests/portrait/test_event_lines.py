"""The time line out of ClickHouse: every event says what it was about."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from agents.portrait.event_lines import time_line
from schemas.envelope import from_millis
from schemas.events import EVENT_TYPES
from sinks.clickhouse.customer import Shown
from sinks.clickhouse.events import COLUMNS, event_rows
from sinks.clickhouse.message import Message
from streams.portrait.parts import Amount
from tests.schemas.examples import EVENT_EXAMPLES
from tests.sink.taken import taken

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def stored(*examples: dict[str, Any]) -> Iterable[Shown]:
    """The rows that the sink makes of events."""
    for example in examples:
        topic = EVENT_TYPES[example["type"]].topic
        message = Message(topic, 0, 0, 1, msgspec.json.encode(example), [])
        row: dict[str, Any] = dict(
            zip(COLUMNS, event_rows(taken([message]).all()).row(0), strict=True)
        )
        yield row | {"time": from_millis(row["time"])}


def told(*examples: dict[str, Any], most: int = 50) -> list[tuple[object, ...]]:
    return [row[1:] for row in time_line(stored(*examples), len(examples), most, UTC).rows]


def event(kind: str, after: timedelta = timedelta(0), **data: object) -> dict[str, Any]:
    time = f"{NOON - after:%Y-%m-%dT%H:%M:%SZ}"
    source = "/vipcare" if data.get("reverse") else "/bank/core"
    return EVENT_EXAMPLES[0] | {"type": kind, "source": source, "time": time, "data": data}


def test_no_line_is_hollow() -> None:
    lines = [(example["type"], told(example)[0]) for example in EVENT_EXAMPLES]
    assert not [kind for kind, (_, about, *_) in lines if about is None]


def test_what_has_no_column_is_told_too() -> None:
    placed = {"deposit": "D1", "principal": "500.00", "currency": "USD", "rate": "0.01"}
    lines = told(
        event("deposit.placed", **placed, matures_on="2026-09-02"),
        event("benefit.used", benefit="airport service", place="PVG T2"),
        event("relation.added", other="C2", relation="parent", reverse=True),
        event("customer.updated", tier="gold", employer="X", consents={"service": {}}),
        event("card.declined", card="K1", payment="P1", amount="9", currency="JPY",
              category="5812", country="JP", presence="present", reason="limit"),
    )  # fmt: skip
    assert lines == [
        ("deposit placed", "D1 · 2026-09-02", Amount(Decimal(500), "USD"), 1),
        ("benefit used", "airport service · PVG T2", None, 1),
        ("relation added", "C2 · names this customer as parent", None, 1),
        ("customer updated", "tier gold · consents", None, 1),
        ("card declined", "restaurants · JP · limit · K1", Amount(Decimal(9), "JPY"), 1),
    ]


def test_the_same_again_on_one_day_is_one_line() -> None:
    second = timedelta(seconds=1)
    visits = [event("logged.in", n * second, channel=("app", "web")[n % 2]) for n in range(32)]
    visits += [event("logged.in", timedelta(days=1), channel="app")]
    assert told(*visits) == [
        ("logged in", "app", None, 16),
        ("logged in", "web", None, 16),
        ("logged in", "app", None, 1),
    ]
    assert time_line(stored(*visits), 40, 1, UTC).left_out == 24
