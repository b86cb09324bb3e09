"""200 live rules over the simulated bank's event types: every known event evaluates 24 of them.

Eight look at everything a customer does; twelve groups of event types have sixteen each, of four
kinds: bursts, unusual amounts or counts, much over a season, and the same for some customers only.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from schemas.events import EVENT_TYPES
from schemas.rules import RuleDefinition

_AMOUNTS: dict[str, Sequence[str]] = {
    "transfers": ["transfer.completed"],
    "card-payments": ["card.authorised"],
    "card-bookings": ["card.settled", "card.reversed", "card.declined"],
    "products": ["product.purchased", "product.redeemed"],
    "loans": ["loan.drawn", "loan.repaid", "transfer.reversed"],
}
"""Groups whose events have a base_amount."""
_VISITS: dict[str, Sequence[str]] = {
    "pages": ["page.viewed"],
    "logins": ["logged.in"],
    "journeys": ["journey.started", "journey.completed", "journey.abandoned"],
    "deposits": ["deposit.placed", "deposit.renewed", "deposit.redeemed"],
    "service": [
        "call.received",
        "branch.visited",
        "message.received",
        "rm.contacted",
        "question.asked",
        "complaint.raised",
        "suggestion.raised",
    ],
    "feedback": [
        "task.accepted",
        "task.started",
        "task.completed",
        "task.declined",
        "contact.made",
        "outcome.recorded",
    ],
}
"""Groups of which counts are kept, and how many different values of one field."""
_DISTINCT = {
    "pages": "page",
    "logins": "channel",
    "journeys": "journey",
    "deposits": "currency",
    "service": "about",
    "feedback": "by",
}

_FOR_SOME = (
    "profile.tier == 'diamond'",
    "profile.tier in ['gold', 'platinum']",
    "'golf' in tags",
    "attributes.segment == 'founder'",
)


def rules() -> list[RuleDefinition]:
    grouped = [one for types in (*_AMOUNTS.values(), *_VISITS.values()) for one in types]
    others = [name for name in EVENT_TYPES if name not in grouped]
    made = list(_everything(list(EVENT_TYPES)))
    for group, types in _AMOUNTS.items():
        made += _amounts(group, types)
    for group, types in _VISITS.items():
        made += _visits(group, types, _DISTINCT[group])
    made += _visits("profile", others, None)
    return made


def _everything(types: Sequence[str]) -> Iterator[RuleDefinition]:
    on = f"[{', '.join(types)}]"
    let = {"day": f"count({on}, 1d)", "month": f"count({on}, 30d)", "half": f"count({on}, 180d)"}
    conditions = [
        "day >= 30",
        "month >= 200",
        "half >= 800",
        "day >= 40 and day * 4 > month",
        *(f"{some} and day >= 20" for some in _FOR_SOME),
    ]
    for number, condition in enumerate(conditions):
        yield _rule(f"all-{number}", types, let, condition, "7d")


def _amounts(group: str, types: Sequence[str]) -> Iterator[RuleDefinition]:
    on = f"[{', '.join(types)}]"
    let = {
        "hour": f"count({on}, 1h)",
        "day": f"count({on}, 1d)",
        "week": f"sum(base_amount, {on}, 7d)",
        "season": f"sum(base_amount, {on}, 90d)",
        "mean": f"avg(base_amount, {on}, 90d, prior=true, at_least=5)",
        "most": f"max(base_amount, {on}, 30d, prior=true)",
        "half": f"count({on}, 180d)",
    }
    conditions = [
        ("hour >= 10", "1d"),
        ("day >= 25", "3d"),
        ("base_amount > 10 * mean", "7d"),
        ("base_amount >= 200_000 and base_amount > 5 * most", "14d"),
        ("week >= 5_000_000", "14d"),
        ("season >= 10_000_000", "30d"),
        ("half >= 300", "30d"),
        ("currency != 'CNY' and week > 5_000_000", "14d"),
    ]
    for some in _FOR_SOME:
        conditions += [(f"{some} and week > 4_000_000", "14d"), (f"{some} and hour >= 8", "1d")]
    yield from _rules(group, types, let, conditions)


def _visits(group: str, types: Sequence[str], field: str | None) -> Iterator[RuleDefinition]:
    on = f"[{', '.join(types)}]"
    let = {
        "hour": f"count({on}, 1h)",
        "day": f"count({on}, 1d)",
        "days": f"count({on}, 3d)",
        "month": f"count({on}, 30d)",
        "half": f"count({on}, 180d)",
    }
    if field is not None:
        let["kinds"] = f"distinct({field}, {on}, 30d)"
    several = "kinds" if field is not None else "days"
    conditions = [
        ("hour >= 12", "1d"),
        ("day >= 30", "3d"),
        ("days >= 25", "3d"),
        ("month >= 60", "7d"),
        ("half >= 250", "30d"),
        (f"{several} >= 20", "14d"),
        ("day * 5 > month and month >= 40", "14d"),
        ("hour >= 4 and month <= 5", "14d"),
    ]
    for some in _FOR_SOME:
        conditions += [(f"{some} and month >= 80", "14d"), (f"{some} and hour >= 10", "1d")]
    yield from _rules(group, types, let, conditions)


def _rules(
    group: str, types: Sequence[str], let: dict[str, str], conditions: Sequence[tuple[str, str]]
) -> Iterator[RuleDefinition]:
    for number, (condition, cooldown) in enumerate(conditions):
        yield _rule(f"{group}-{number}", types, let, condition, cooldown)


def _rule(
    name: str, types: Sequence[str], let: dict[str, str], condition: str, cooldown: str | None
) -> RuleDefinition:
    """With the values that its condition uses; every other one raises a task, the rest an alert."""
    used = {key: text for key, text in let.items() if key in condition}
    shown = " ".join(f"{{{key}}}" for key in used) or name
    text = {"en": f"{name}: {shown}", "zh": f"{name}：{shown}"}
    even = int(name.rpartition("-")[2]) % 2 == 0
    then: dict[str, Any] = {"task" if even else "alert": {"text": text}}
    return RuleDefinition.model_validate(
        {
            "id": name,
            "version": 1,
            "title": {"en": name, "zh": name},
            "kind": "service",
            "owner": "benchmark",
            "status": "live",
            "on": list(types),
            "let": used,
            "if": condition,
            "then": then,
            **({"cooldown": cooldown} if cooldown else {}),
        }
    )
