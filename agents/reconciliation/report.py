"""The report of a run: how much, how fast, and whether everything agrees."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.clickhouse import clickhouse_address
from agents.reconciliation.reconcile import reconcile
from config.settings import Settings
from schemas.events import EVENT_TYPES
from sinks.clickhouse.address import FAILURES, client_of
from sinks.clickhouse.errors import explain
from sinks.clickhouse.render import count_rows, read_dead_letters, read_effects


def make_report(settings: Settings, started_ms: int, ended_ms: int) -> dict[str, Any]:
    """Read everything again, compare it, and say what was found. Real time, epoch milliseconds.

    `events` are the messages that the worker took, unknown and broken ones and duplicates
    included; `events_per_second` is their number over the whole time from start to end.
    `by_type` counts messages that name a type, whether they are good or not: every type that flows.
    `by_rule` counts firings of every live rule. `latency_ms` is of live events' effects, from
    the event's to the effect's Kafka timestamp (latency.py beside this). `differences` says why
    `reconciled` is false.
    """
    with client_of(clickhouse_address(settings.clickhouse)) as client:
        found = reconcile(settings, read_effects(client), read_dead_letters(client))
        try:
            rows = count_rows(client)
        except FAILURES as error:
            rows = {}
            found.differences.add(f"ClickHouse's rows cannot be counted: {explain(error)}")
    seconds = max(ended_ms - started_ms, 1) / 1_000
    counts, firings = found.books.counts, found.books.firings()
    return {
        "events": found.tally.events,
        "events_per_second": round(found.tally.events / seconds, 1),
        "tasks": counts["vip.tasks"],
        "alerts": counts["vip.alerts"],
        "actions": counts["vip.actions"],
        "decisions": counts["vip.decisions"],
        "dead_letters": counts["vip.dead-letters"],
        "dead_letters_by_reason": dict(sorted(found.books.reasons.items())),
        "duplicates": found.tally.counts["duplicates"],
        "by_type": {name: found.types[name] for name in EVENT_TYPES},
        "by_rule": {rule: firings[rule] for rule in sorted({*found.live_rules, *firings})},
        "rows": rows,
        "latency_ms": found.latency.figures(),
        "reconciled": found.differences.total == 0,
        "differences": found.differences.told(),
    }


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """As JSON, whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)
