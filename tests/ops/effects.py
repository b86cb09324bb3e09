"""Effects for tests, and every way to alter one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.attachments import AssetSummary, Attachments, Maturity, RecentContact
from schemas.effects import (
    ActionData,
    ActionTaken,
    Alert,
    AlertData,
    CardDetails,
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
    decode_effect,
    encode_effect,
)

_SUMS = [name for name in AssetSummary.__struct_fields__ if name.startswith("base_")]
START = datetime(2025, 3, 1, tzinfo=UTC)
_OTHERS = (
    "closed",
    "care",
    "amended",
    "risk",
    "high",
    "2030-01-01T00:00:00Z",
    "vip.alert",
    "held_out",
    "7.5",
    "1",
)
"""For strings of which only some are valid."""


def cause(number: int) -> Cause:
    return Cause(
        source="/bank",
        id=f"e{number}",
        type="transfer.completed",
        time=START + timedelta(seconds=number),
        topic="bank.core",
        partition=number % 4,
        offset=number,
    )


def task(number: int) -> Task:
    return Task(
        id=f"task-{number}-1",
        source="/vipcare",
        subject=f"C{number % 5}",
        time=START,
        data=TaskData(
            task_id=f"task-{number}",
            version=1,
            state="open",
            change="raised",
            kind="care",
            priority="normal",
            title={"en": "Call", "zh": "致电"},
            text={"en": "Call about 3", "zh": "3"},
            rm="rm-1",
            tier="gold",
            due=START + timedelta(days=1),
            rule=RuleRef(id="fx", version=2),
            values={"total": "250000.00", "count": "3"},
            waited_until=None,
            cause=cause(number),
            attachments=Attachments(
                asset_summary=AssetSummary(
                    **dict.fromkeys(_SUMS, Decimal(5)),
                    assets_by_month={"2025-02": Decimal(5)},
                    maturities=[
                        Maturity(what="deposit", name="D1", base_amount=Decimal(5), on="2026-01-01")
                    ],
                )
            ),
        ),
    )


def alert(number: int) -> Alert:
    return Alert(
        id=f"alert-{number}-1",
        source="/vipcare",
        subject=f"C{number % 5}",
        time=START,
        data=AlertData(
            alert_id=f"alert-{number}",
            version=1,
            state="open",
            change="raised",
            kind="risk",
            severity="urgent",
            title={"en": "Look", "zh": "看"},
            text={"en": "Look", "zh": "看"},
            rm="rm-1",
            tier="gold",
            rule=RuleRef(id="large", version=1),
            values={"mean": "1.5"},
            waited_until=None,
            cause=cause(number),
            attachments=Attachments(
                recent_contacts=[
                    RecentContact(
                        time=START, type="note", channel="", about="tea", name="", result=""
                    )
                ]
            ),
        ),
    )


def decision(number: int) -> Decision:
    return Decision(
        id=f"decision-{number}-1",
        source="/vipcare",
        subject=f"C{number % 5}",
        time=START,
        data=DecisionData(
            decision_id=f"decision-{number}",
            outcome="shadow",
            actions=["task"],
            kind="care",
            title={"en": "Call", "zh": "致电"},
            text={"en": "Call", "zh": "致电"},
            rm="rm-1",
            tier="gold",
            rule=RuleRef(id="new", version=1),
            values={"count": "3"},
            waited_until=None,
            cause=cause(number),
        ),
    )


def action(number: int) -> ActionTaken:
    return ActionTaken(
        id=f"action-{number}-1",
        source="/vipcare",
        subject=f"C{number % 5}",
        time=START,
        data=ActionData(
            action_id=f"action-{number}",
            action="note",
            name="golf",
            changed=True,
            kind="care",
            title={"en": "Golf", "zh": "高尔夫"},
            text={"en": "Reads of golf", "zh": "关注高尔夫"},
            rm="rm-1",
            tier="gold",
            rule=RuleRef(id="golf", version=1),
            values={"views": "3"},
            waited_until=None,
            cause=cause(number),
        ),
    )


def process(number: int) -> ProcessRequested:
    return ProcessRequested(
        id=f"process-{number}-1",
        source="/vipcare",
        subject=f"C{number % 5}",
        time=START,
        data=ProcessData(
            process_id=f"process-{number}",
            process="complaint",
            kind="service",
            title={"en": "Complaint", "zh": "投诉"},
            text={},
            rm="rm-1",
            tier="gold",
            rule=RuleRef(id="complaint", version=1),
            values={"severity": "high"},
            waited_until=None,
            cause=cause(number),
        ),
    )


def profile(number: int) -> Profile:
    return Profile(
        id=f"profile-{number % 5}-{number}",
        source="/vipcare",
        subject=f"C{number % 5}",
        time=START,
        data=ProfileData(
            version=number,
            name="王",
            tier="gold",
            rm="rm-1",
            residence="CN",
            language="zh",
            opened_on="2010-01-01",
            tags=["a", "b"],
            accounts=2,
            base_balance=Decimal("10.50"),
            deposits=1,
            base_deposits=Decimal(3),
            next_maturity="2026-01-01",
            cause=cause(number),
            attributes={"segment": "founder", "clubs": '["golf"]'},
            interest_sources={"golf": "rm-1"},
            loans_by_month={"2025-02": Decimal(5)},
            card_details=[card(number)],
            benefit_uses={"lounge": 2},
            base_benefit_costs={"lounge": Decimal("1.5")},
            scores={"churn": 65},
            high_scores=["churn"],
        ),
    )


def card(number: int) -> CardDetails:
    return CardDetails(
        card=f"K{number}",
        product="travel",
        currency="USD",
        limit=Decimal(20_000),
        limit_until=None,
        amount_due=None,
        due_on=None,
    )


effects: st.SearchStrategy[Effect] = st.builds(
    lambda make, number: make(number),
    st.sampled_from([task, alert, action, process, decision, profile]),
    st.integers(0, 60),
)


def leaves(effect: Effect) -> list[tuple[str, ...]]:
    """The paths of everything that can be altered."""
    return list(_leaves(json.loads(encode_effect(effect)), ()))


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(value, dict):
        yield path
        return
    for key, below in value.items():
        if key not in {"specversion", "datacontenttype", "id", "type"} or path:
            yield from _leaves(below, (*path, key))


def altered(effect: Effect, path: tuple[str, ...]) -> Effect:
    """The effect with one field changed to another valid value."""
    tree = json.loads(encode_effect(effect))
    owner = tree
    for key in path[:-1]:
        owner = owner[key]
    for other in _candidates(owner[path[-1]]):
        owner[path[-1]] = other
        try:
            made: Effect = decode_effect(json.dumps(tree).encode())
        except msgspec.ValidationError:
            continue
        if made != effect:
            return made
    raise AssertionError(f"no other value found for {path}")


def _candidates(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, list):
        return [value[1:], [*value, "c"]]
    return [f"{value}x", *_OTHERS]
