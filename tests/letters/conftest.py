"""A broker with dead letters of every kind, and the commands' settings pointing at it."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Producer

from agents.local.broker import EmbeddedBroker
from agents.topics import create
from config.load import load_settings
from schemas.dead_letters import MAX_VALUE_BYTES, DeadLetter, Reason, dead_letter

PAST = datetime(2026, 3, 1, tzinfo=UTC)


def event(event_id: str, customer: str = "C1", **changes: Any) -> bytes:
    whole = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/bank/core",
        "type": "customer.updated",
        "subject": customer,
        "time": PAST.isoformat(),
        "data": {"name": "Wang"},
    }
    return json.dumps({**whole, **changes}).encode()


def letter(
    reason: Reason, offset: int, value: bytes, topic: str = "bank.core", key: bytes = b"C1"
) -> DeadLetter:
    return dead_letter(
        reason, "missing field `id`", topic=topic, partition=1, offset=offset, key=key,
        value=value, event_type="customer.updated", event_id=f"e{offset}",
    )  # fmt: skip


def send_letters(bootstrap: str, letters: Sequence[DeadLetter], partition: int = 2) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for one in letters:
        headers: list[tuple[str, str | bytes | None]] = [*one.headers()]
        producer.produce(
            "vip.dead-letters", one.value, one.key, partition=partition, headers=headers
        )
    assert producer.flush(20) == 0


LETTERS = (
    letter(Reason.BROKEN, 0, b'{"name": "Wang"}'),
    letter(Reason.FUTURE, 1, event("e1")),
    letter(Reason.WRONG_KEY, 2, event("e2", "C2"), key=b"C1"),
    letter(Reason.REFUSED, 3, event("e3"), topic="bank.app"),
    letter(Reason.OVERSIZE, 4, event("e4", data={"name": "W" * MAX_VALUE_BYTES})),
    letter(Reason.BROKEN, 5, b"\xff", key=b"no customer"),
    letter(Reason.NO_BASE_AMOUNT, 6, event("e6")),
)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A broker with all topics, the letters, and a message that is none."""
    with EmbeddedBroker() as embedded:
        monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", embedded.bootstrap)
        monkeypatch.setenv("VIPCARE_KAFKA__TRANSACTIONS", "false")
        create(load_settings())
        send_letters(embedded.bootstrap, LETTERS)
        producer = Producer({"bootstrap.servers": embedded.bootstrap})
        producer.produce("vip.dead-letters", b"stray", partition=0)
        assert producer.flush(20) == 0
        yield embedded.bootstrap
