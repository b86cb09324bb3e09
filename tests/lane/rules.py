"""Rules of the lane's tests: one that can raise, its events, and what became of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.settings import Settings
from schemas.effects import Alert, Decision, decode_effect
from tests.lane.oracle import actual
from tests.lane.process import changed

SMALL, HUGE = "home", "高" * 200
"""Pages: of the larger `fragile` makes a text that cannot be sent."""
LOOKS = "page != 'none'"


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
    """Gives the name of a page as a reason so often that of a long one too much comes."""
    reason = dict.fromkeys(("en", "zh"), "{page}" * 80)
    signal = {"points": 5, "if": LOOKS, "reason": reason}
    score = {"name": "looks", "threshold": 100, "release": 100, "signals": [signal] * 20}
    then = {"alert": {"text": dict.fromkeys(("en", "zh"), "{reasons}")}}
    return rule("fragile", version, on="page.viewed", score=score, then=then, **{"if": "true"})


def sound() -> dict[str, Any]:
    """Another one that looks at pages."""
    then = {"alert": {"text": {"en": "seen", "zh": "看"}}}
    return rule("sound", on="page.viewed", then=then, **{"if": LOOKS})


def views(name: str, customers: int, page: str = SMALL) -> Iterator[dict[str, Any]]:
    """Two of each customer: the score is low before it is high."""
    for number in range(customers):
        for view, seen in ((f"{name}-{number}-none", "none"), (f"{name}-{number}", page)):
            yield {
                "specversion": "1.0",
                "id": view,
                "source": "test",
                "type": "page.viewed",
                "subject": f"C{number}",
                "time": "2026-01-01T00:00:00Z",
                "data": {"page": seen},
            }


def transfers(name: str, customers: int) -> Iterator[dict[str, Any]]:
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
                "amount": "1",
                "currency": "CNY",
                "base_amount": "1",
            },
        }


def write(folder: Path, *rules: dict[str, Any]) -> Path:
    """JSON is YAML too."""
    folder.mkdir(exist_ok=True)
    for one in rules:
        (folder / f"{one['id']}.yaml").write_text(json.dumps(one, indent=1))
    return folder


def with_few(settings: Settings) -> Settings:
    """Two rules in place of the library, which is a third of a worker's start: for tests that start
    many and are about something else."""
    folder = settings.worker.data.with_name("few-rules")
    return changed(settings, "worker", rules=write(folder, rule("told"), sound()))


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
