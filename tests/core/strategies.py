"""Event streams as a partition sees them: several topics, skewed customers, faults included."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from streams.inputs import Raw
from streams.partitioning import partition_of

PARTITIONS = 4
NOW = 1_700_000_000_000
DAY = 86_400_000
CUSTOMERS = [f"C{n}" for n in range(40) if partition_of(f"C{n}".encode(), PARTITIONS) == 0][:4]


def iso(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat().replace("+00:00", "Z")


def message(
    event_type: str, data: dict[str, Any], *, at: int, customer: str, event_id: str
) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/vipcare" if data.get("reverse") else "/bank/test",
            "type": event_type,
            "subject": customer,
            "time": iso(at),
            "data": data,
        }
    ).encode()


def transfer(n: int, amount: int, country: str | None, direction: str = "out") -> dict[str, Any]:
    return {
        "transfer": f"T{n}",
        "account": "A1",
        "direction": direction,
        "amount": str(amount),
        "currency": "CNY",
        "base_amount": str(amount),
        "counterparty_name": "Somebody",
        "counterparty_country": country,
    }


amounts = st.sampled_from([1, 50, 999, 200_000, 250_000, 3_000_000])
countries = st.sampled_from([None, "CN", "US", "GB"])
directions = st.sampled_from(["in", "out"])
numbers = st.integers(0, 12)

payloads: st.SearchStrategy[tuple[str, str, dict[str, Any]]] = st.one_of(
    st.builds(
        lambda n, a, c, d: ("bank.core", "transfer.completed", transfer(n, a, c, d)),
        numbers,
        amounts,
        countries,
        directions,
    ),
    st.builds(
        lambda n, a: (
            "bank.core",
            "transfer.reversed",
            {k: v for k, v in transfer(n, a, None).items() if not k.startswith("counterparty")},
        ),
        numbers,
        amounts,
    ),
    st.builds(
        lambda tier, rm: ("bank.core", "customer.updated", {"tier": tier, "rm": rm}),
        st.sampled_from([None, "gold", "diamond"]),
        st.sampled_from([None, "RM1", "RM2"]),
    ),
    st.builds(
        lambda tag, add: ("bank.core", "tag.added" if add else "tag.removed", {"tag": tag}),
        st.sampled_from(["golf", "tea", "art"]),
        st.booleans(),
    ),
    st.builds(
        lambda a: (
            "bank.core",
            "balance.reported",
            {"account": "A1", "currency": "CNY", "balance": str(a), "base_balance": str(a)},
        ),
        amounts,
    ),
    st.builds(
        lambda t: ("bank.app", "page.viewed", {"page": "p", "page_topic": t}),
        st.sampled_from([None, "study-abroad", "funds"]),
    ),
    st.just(("bank.app", "logged.in", {"channel": "app"})),
)


@st.composite
def raw_messages(draw: st.DrawFn, topic: str, offset: int) -> Raw:
    """One message on a topic's partition 0: mostly an event, sometimes a fault."""
    fault = draw(st.integers(0, 19))
    customer = draw(st.sampled_from(CUSTOMERS))
    _, event_type, data = draw(payloads)
    at = NOW - draw(st.integers(0, 60 * DAY))
    event_id = str(draw(st.integers(0, 30)))
    if fault == 0:
        return Raw(topic, 0, offset, customer.encode(), b'{"type": 1}')
    if fault == 1:
        at = NOW + 100 * DAY
    if fault == 2:
        event_type = "something.newer"
    value = message(event_type, data, at=at, customer=customer, event_id=event_id)
    key = b"somebody else" if fault == 3 else customer.encode()
    return Raw(topic, 0, offset, key, value)


@st.composite
def partitions(draw: st.DrawFn) -> dict[str, Sequence[Raw]]:
    """Topic → its messages in offset order (with gaps, as transaction markers leave them)."""
    topics: dict[str, Sequence[Raw]] = {}
    for topic in ("bank.core", "bank.app", "bank.card"):
        offset, messages = 0, []
        for _ in range(draw(st.integers(0, 15))):
            offset += draw(st.integers(1, 2))
            messages.append(draw(raw_messages(topic, offset)))
        topics[topic] = messages
    return topics
