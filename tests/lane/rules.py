"""Rules of the lane's tests: one that can raise, its events, and what became of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.settings import Settings
from schemas.effects import Alert, Decision, decode_effect
from tests.lane.oracle import actual

SMALL, HUGE = "1", "1000000000"
"""Amounts: FRAGILE raises for the larger, as its number has more digits than there can be."""


def rule(name: str, version: int = 1, status: str = "live", **changes: Any) -> dict[str, Any]:
    """A rule that tells of every transfer."""
    return {
        "id": name,
        "version": version,
        "title": {"en": name, "zh": name},
        "kind": "service",
        "owner": "Tests",
        "status": status,
        "on": "transfer.completed",
        "if": "base_amount > 0",
        "then": {"alert": {"text": {"en": "{transfer}", "zh": "{transfer}"}}},
        **changes,
    }


def fragile(version: int = 1) -> dict[str, Any]:
    """Squares an amount so often that a large one overflows."""
    squares = {f"s{n}": f"s{n - 1} * s{n - 1}" for n in range(1, 20)}
    lets = {"s0": "base_amount * base_amount"} | squares
    return rule("fragile", version, let=lets, **{"if": "s19 > 0"})


def transfers(name: str, customers: int, amount: str = SMALL) -> Iterator[dict[str, Any]]:
    """One of each customer."""
    for number in range(customers):
        transfer = f"{name}-{number}"
        yield {
            "specversion": "1.0",
            "id": transfer,
            "source": "test",
            "type": "transfer.completed",
            "subject": f"C{number}",
            "time": "2026-01-01T00:00:00Z",
            "data": {
                "transfer": transfer,
                "account": "A1",
                "direction": "out",
                "amount": amount,
                "currency": "CNY",
                "base_amount": amount,
            },
        }


def write(folder: Path, *rules: dict[str, Any]) -> Path:
    """JSON is YAML too."""
    folder.mkdir(exist_ok=True)
    for one in rules:
        (folder / f"{one['id']}.yaml").write_text(json.dumps(one, indent=1))
    return folder


def outcomes(settings: Settings) -> dict[str, set[str]]:
    """`RULE@VERSION` and whether it did it (`alert`) or would have (`shadow`) → the transfers."""
    found: dict[str, set[str]] = {}
    for partition in range(settings.topics.partitions):
        for pairs in actual(settings, partition).effects.values():
            for _, value in pairs:
                effect = decode_effect(value or b"")
                if isinstance(effect, Alert | Decision):
                    done = "alert" if isinstance(effect, Alert) else effect.data.outcome
                    name = f"{effect.data.rule.id}@{effect.data.rule.version} {done}"
                    found.setdefault(name, set()).add(effect.data.cause.id)
    return found
