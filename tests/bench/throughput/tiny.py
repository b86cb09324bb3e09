"""The workload `tiny`: a sum and a count a customer, and an alert on a threshold."""

import json
import random
from collections.abc import Iterator

from agents.bank.message import iso
from schemas.rules import RuleDefinition
from streams.durations import DAY_MS
from tests.bench.peers.tally import LARGE_CENTS, TOTAL_CENTS
from tests.bench.throughput.workload import Message, Workload

CUSTOMERS = 20_000
_TOPIC = "bank.core"
_START = 1_748_822_400_000
"""2025-06-02. A day of events, so that a window of 30 days is their plain sum."""

RULE = RuleDefinition.model_validate(
    {
        "id": "tiny",
        "version": 1,
        "title": {"en": "Much was paid", "zh": "累计金额较大"},
        "kind": "risk",
        "owner": "benchmark",
        "status": "live",
        "on": "transfer.completed",
        "let": {
            "times": "count(transfer.completed, 30d)",
            "total": "sum(base_amount, transfer.completed, 30d)",
        },
        "if": f"total >= {TOTAL_CENTS // 100} and base_amount >= {LARGE_CENTS // 100}",
        "then": {"alert": {"text": {"en": "{times} make {total}", "zh": "{times} 笔共 {total}"}}},
    }
)


def tiny(events: int, customers: int = CUSTOMERS) -> Workload:
    return Workload("tiny", list(_messages(events, customers)), [_TOPIC], [RULE], customers)


def _messages(events: int, customers: int) -> Iterator[Message]:
    chance = random.Random("tiny")
    for number in range(events):
        customer = f"C{chance.randrange(customers):05d}"
        cents = chance.randrange(100, 2_000_000)
        amount = f"{cents // 100}.{cents % 100:02d}"
        event = {
            "specversion": "1.0",
            "id": f"tiny-{number}",
            "source": "/bank/core",
            "type": "transfer.completed",
            "subject": customer,
            "time": iso(_START + number * DAY_MS // events),
            "datacontenttype": "application/json",
            "data": {
                "transfer": f"T{number}",
                "account": f"A{customer}",
                "direction": "out",
                "amount": amount,
                "currency": "CNY",
                "base_amount": amount,
                "counterparty_country": "CN",
                "channel": "app",
            },
        }
        yield Message(_TOPIC, customer.encode(), json.dumps(event).encode())
