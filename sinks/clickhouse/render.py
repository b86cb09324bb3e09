"""From rows, read through the public views, to the messages that they were made of.

Instants are read as milliseconds: the driver would pass them through a float.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from clickhouse_driver import Client

from schemas.attachments import Attachments
from schemas.effects import (
    ActionData,
    ActionTaken,
    Alert,
    AlertData,
    Cause,
    Decision,
    DecisionData,
    Effect,
    ProcessData,
    ProcessRequested,
    Profile,
    ProfileData,
    RuleRef,
    Task,
    TaskData,
)
from schemas.envelope import from_millis
from sinks.clickhouse.effects import (
    ACTION,
    ALERT,
    CAUSE,
    DEAD_LETTER,
    DECISION,
    PROCESS,
    PROFILE,
    TASK,
    card_of,
)
from sinks.clickhouse.tables import TABLE_OF, VIEWS

_INSTANTS = {"time", "due", "cause_time", "waited_until", "last_contact_at"}
_NOT_SAME = {"cause", "last_contact_at", "card_details"}
_BLOCK = {"max_block_size": 10_000}

_Row = dict[str, Any]

Starts = Mapping[str, Sequence[int]]
"""Topic → the offset of each partition from which its messages are asked for."""
_BEGINNING: Starts = dict.fromkeys(TABLE_OF, ())


class StoredLetter(NamedTuple):
    """A dead letter as ClickHouse holds it; the names are those of schemas.dead_letters.HEADERS."""

    reason: str
    category: str
    detail: str
    topic: str
    partition: int
    offset: int
    length: int
    sha256: str
    event_type: str
    event_source: str
    event_id: str
    first: str


def read_effects(client: Client, starts: Starts = _BEGINNING) -> Iterator[Effect]:
    """Every effect, every version, as the message it was."""
    for row in _rows(client, "tasks", TASK, _since(starts["vip.tasks"])):
        yield Task(**_envelope(row), data=_task(row))
    for row in _rows(client, "alerts", ALERT, _since(starts["vip.alerts"])):
        yield Alert(**_envelope(row), data=_alert(row))
    for row in _rows(client, "actions", ACTION, _since(starts["vip.actions"])):
        if row["action"] == PROCESS:
            yield ProcessRequested(**_envelope(row), data=_process(row))
        else:
            yield ActionTaken(**_envelope(row), data=_action(row))
    for row in _rows(client, "decisions", DECISION, _since(starts["vip.decisions"])):
        yield Decision(**_envelope(row), data=_decision(row))
    for row in _rows(client, "customers_history", PROFILE, _since(starts["vip.profiles"])):
        yield Profile(**_envelope(row), data=_profile(row))


def read_dead_letters(client: Client, starts: Starts = _BEGINNING) -> Iterator[StoredLetter]:
    """Every dead letter: why, and where its original stands."""
    since = _since(starts["vip.dead-letters"], "letter_")
    for row in _rows(client, "dead_letters", DEAD_LETTER, since):
        yield StoredLetter(**row)


def count_rows(client: Client) -> dict[str, int]:
    """View → how many rows a reader sees."""
    return {view: client.execute(f"SELECT count() FROM {view}")[0][0] for view in VIEWS}  # noqa: S608  # our own names


def _since(starts: Sequence[int], prefix: str = "") -> str:
    """What holds of the rows whose messages stand at these offsets or behind them."""
    earlier = (
        f"({prefix}partition = {partition} AND {prefix}offset < {start})"
        for partition, start in enumerate(starts)
        if start > 0
    )
    return f"NOT ({' OR '.join(earlier)})" if any(starts) else "true"


def _rows(client: Client, view: str, columns: Sequence[str], where: str) -> Iterator[_Row]:
    chosen = ", ".join(
        f"toUnixTimestamp64Milli(`{name}`)" if name in _INSTANTS else f"`{name}`"
        for name in columns
    )
    query = f"SELECT {chosen} FROM {view} WHERE {where}"  # noqa: S608  # our own names
    for row in client.execute_iter(query, settings=_BLOCK):
        yield dict(zip(columns, row, strict=True))


def _envelope(row: _Row) -> _Row:
    return {
        "id": row["id"],
        "source": row["source"],
        "subject": row["customer"],
        "time": from_millis(row["time"]),
    }


def _task(row: _Row) -> TaskData:
    return TaskData(
        task_id=row["task_id"],
        priority=row["priority"],
        due=_instant(row["due"]),
        attachments=_attached(row["attachments"]),
        **_shared(row),
    )


def _alert(row: _Row) -> AlertData:
    return AlertData(
        alert_id=row["alert_id"],
        severity=row["severity"],
        attachments=_attached(row["attachments"]),
        **_shared(row),
    )


def _attached(told: str) -> Attachments | None:
    return msgspec.json.decode(told, type=Attachments) if told else None


def _action(row: _Row) -> ActionData:
    same = ("action_id", "action", "name", "changed", "occasion", "channels")
    return ActionData(**{name: row[name] for name in same}, **_of_rule(row))


def _process(row: _Row) -> ProcessData:
    return ProcessData(process_id=row["action_id"], process=row["name"], **_of_rule(row))


def _decision(row: _Row) -> DecisionData:
    same = ("decision_id", "outcome", "actions")
    return DecisionData(**{name: row[name] for name in same}, **_of_rule(row))


def _shared(row: _Row) -> _Row:
    return {**{name: row[name] for name in ("version", "state", "change", "late")}, **_of_rule(row)}


def _of_rule(row: _Row) -> _Row:
    same = ("kind", "title", "text", "rm", "tier", "values", "warm")
    return {
        **{name: row[name] for name in same},
        "rule": RuleRef(id=row["rule_id"], version=row["rule_version"]),
        "waited_until": _instant(row["waited_until"]),
        "cause": _cause(row),
    }


def _profile(row: _Row) -> ProfileData:
    same = (name for name in ProfileData.__struct_fields__ if name not in _NOT_SAME)
    return ProfileData(
        **{name: row[name] for name in same},
        last_contact_at=_instant(row["last_contact_at"]),
        card_details=[card_of(one) for one in row["card_details"]],
        cause=_cause(row),
    )


def _instant(millis: int | None) -> datetime | None:
    return None if millis is None else from_millis(millis)


def _cause(row: _Row) -> Cause:
    found = {name.removeprefix("cause_"): row[name] for name in CAUSE}
    return Cause(**{**found, "time": from_millis(found["time"])})
