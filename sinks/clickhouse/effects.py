"""Effects and dead letters as rows: a column for each of their fields, so that render.py can
make the same message of a row again."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import astuple

from schemas.attachments import Attachments
from schemas.dead_letters import HEADERS, parse_dead_letter
from schemas.effects import (
    ActionTaken,
    Alert,
    CardDetails,
    Cause,
    Decision,
    Effect,
    ProcessRequested,
    Profile,
    Task,
    decode_effect,
)
from sinks.clickhouse.message import Message, Row, Unstorable, integers, millis

PLACE = ("partition", "offset", "received")
"""Where the message stands in its topic, and Kafka's timestamp of it."""
ENVELOPE = ("id", "source", "customer", "time")
CAUSE = (
    "cause_source",
    "cause_id",
    "cause_type",
    "cause_time",
    "cause_topic",
    "cause_partition",
    "cause_offset",
)
_SHARED = (
    "title",
    "text",
    "rm",
    "tier",
    "rule_id",
    "rule_version",
    "values",
    *CAUSE,
    "waited_until",
)

TASK = (
    *ENVELOPE,
    "task_id",
    "version",
    "state",
    "change",
    "kind",
    "priority",
    "due",
    *_SHARED,
    "attachments",
    "late",
    "warm",
)
ALERT = (
    *ENVELOPE,
    "alert_id",
    "version",
    "state",
    "change",
    "kind",
    "severity",
    *_SHARED,
    "attachments",
    "late",
    "warm",
)
ACTION = (
    *ENVELOPE,
    "action_id",
    "action",
    "name",
    "changed",
    "kind",
    *_SHARED,
    "occasion",
    "channels",
    "warm",
)
DECISION = (*ENVELOPE, "decision_id", "outcome", "actions", "kind", *_SHARED, "warm")
PROFILE = (
    *ENVELOPE,
    "version",
    "name",
    "tier",
    "rm",
    "residence",
    "language",
    "opened_on",
    "tags",
    "accounts",
    "base_balance",
    "deposits",
    "base_deposits",
    "next_maturity",
    *CAUSE,
    "occupation",
    "family",
    "consents_given",
    "consents_refused",
    "interests",
    "relations",
    "holdings",
    "base_wealth",
    "base_funds",
    "base_insurance",
    "base_other",
    "loans",
    "base_loans",
    "base_assets",
    "base_net",
    "assets_by_month",
    "cards",
    "base_inflow",
    "base_outflow",
    "base_spent",
    "categories",
    "regular_inflows",
    "base_regular_inflow",
    "contacts",
    "last_contact_at",
    "benefits",
    "base_benefit_cost",
    "base_contribution",
    "attributes",
    "interest_sources",
    "loans_by_month",
    "card_details",
    "benefit_uses",
    "base_benefit_costs",
    "standing_limits",
    "dropped",
    "scores",
    "high_scores",
)
DEAD_LETTER = HEADERS
PROCESS = "process"


def effect_row(message: Message) -> Row:
    """The row of a message of an effect topic. Raises Unstorable("broken" or "empty")."""
    if message.value is None:
        raise Unstorable("empty")
    try:
        effect: Effect = decode_effect(message.value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise Unstorable("broken") from None
    flat = _FLAT[type(effect)]
    place = (message.partition, message.offset, message.received)
    return (*place, effect.id, effect.source, effect.subject, millis(effect.time), *flat(effect))


def dead_letter_row(message: Message) -> Row:
    """The row of a dead letter: its headers, never its content. Raises Unstorable("broken")."""
    try:
        letter = parse_dead_letter(message.headers, None, None)
    except ValueError:
        raise Unstorable("broken") from None
    integers(letter.partition, letter.offset, letter.length)
    told = (getattr(letter, name) for name in DEAD_LETTER)
    return (message.partition, message.offset, message.received, *told)


def _task(effect: Task) -> Row:
    data = effect.data
    return (
        data.task_id,
        *integers(data.version),
        data.state,
        data.change,
        data.kind,
        data.priority,
        _optional(data.due),
        *_shared(effect),
        _attached(data.attachments),
        data.late,
        data.warm,
    )


def _alert(effect: Alert) -> Row:
    data = effect.data
    return (
        data.alert_id,
        *integers(data.version),
        data.state,
        data.change,
        data.kind,
        data.severity,
        *_shared(effect),
        _attached(data.attachments),
        data.late,
        data.warm,
    )


def _action(effect: ActionTaken) -> Row:
    data = effect.data
    told = (data.action_id, data.action, data.name, data.changed, data.kind)
    return (*told, *_shared(effect), data.occasion, data.channels, data.warm)


def _process(effect: ProcessRequested) -> Row:
    """One more action; render.py knows it by its name."""
    data = effect.data
    told = (data.process_id, PROCESS, data.process, True, data.kind)
    return (*told, *_shared(effect), None, [], data.warm)


def _decision(effect: Decision) -> Row:
    data = effect.data
    told = (data.decision_id, data.outcome, data.actions, data.kind)
    return (*told, *_shared(effect), data.warm)


def _shared(effect: Task | Alert | ActionTaken | ProcessRequested | Decision) -> Row:
    data = effect.data
    return (
        data.title,
        data.text,
        data.rm,
        data.tier,
        data.rule.id,
        *integers(data.rule.version),
        data.values,
        *_cause(data.cause),
        _optional(data.waited_until),
    )


def _attached(attachments: Attachments | None) -> str:
    """As JSON; empty where there is none."""
    return "" if attachments is None else _encode(attachments).decode()


_encode = msgspec.json.Encoder(decimal_format="string").encode
_COUNTS = (
    "version",
    "accounts",
    "deposits",
    "family",
    "holdings",
    "loans",
    "cards",
    "regular_inflows",
    "contacts",
    "benefits",
)
_TOLD = PROFILE[len(ENVELOPE) : PROFILE.index("cause_source")]
_TOLD_AFTER = PROFILE[PROFILE.index("cause_offset") + 1 :]
_LAST_CONTACT = _TOLD_AFTER.index("last_contact_at")
_CARDS = _TOLD_AFTER.index("card_details")


def _profile(effect: Profile) -> Row:
    data = effect.data
    integers(*(getattr(data, name) for name in _COUNTS), *data.benefit_uses.values())
    integers(*data.dropped.values(), *data.scores.values())
    after = [getattr(data, name) for name in _TOLD_AFTER]
    after[_LAST_CONTACT] = _optional(data.last_contact_at)
    after[_CARDS] = [astuple(card) for card in data.card_details]
    return (*(getattr(data, name) for name in _TOLD), *_cause(data.cause), *after)


def card_of(stored: Sequence[Any]) -> CardDetails:
    """One of a row's `card_details` as it was told."""
    return CardDetails(**dict(zip(CardDetails.__struct_fields__, stored, strict=True)))


def _cause(cause: Cause) -> Row:
    place = integers(cause.partition, cause.offset)
    return (cause.source, cause.id, cause.type, millis(cause.time), cause.topic, *place)


def _optional(instant: datetime | None) -> int | None:
    return None if instant is None else millis(instant)


_FLAT: dict[type[Effect], Callable[..., Row]] = {
    Task: _task,
    Alert: _alert,
    ActionTaken: _action,
    ProcessRequested: _process,
    Decision: _decision,
    Profile: _profile,
}
