"""What the CRM reports: what became of tasks, contacts made, outcomes."""

from collections.abc import Callable
from typing import Any

from schemas.activity import Care


def reported(care: Care, event_type: str, data: Any, at: int) -> None:
    _REPORTS[event_type](care, data, at)


def _accepted(care: Care, _data: Any, _at: int) -> None:
    care.accepted += 1


def _started(care: Care, _data: Any, _at: int) -> None:
    care.started += 1


def _completed(care: Care, _data: Any, _at: int) -> None:
    care.completed += 1


def _declined(care: Care, _data: Any, _at: int) -> None:
    care.declined += 1


def _contact(care: Care, data: Any, at: int) -> None:
    care.contacts += 1
    care.reached += data.reached
    care.last_contact_at = max(care.last_contact_at, at)


def _outcome(care: Care, data: Any, _at: int) -> None:
    care.outcomes[data.outcome] = care.outcomes.get(data.outcome, 0) + 1
    if data.outcome == "won" and data.base_amount is not None:
        care.base_won += data.base_amount


_REPORTS: dict[str, Callable[[Care, Any, int], None]] = {
    "task.accepted": _accepted,
    "task.started": _started,
    "task.completed": _completed,
    "task.declined": _declined,
    "contact.made": _contact,
    "outcome.recorded": _outcome,
}
CARE_TYPES = frozenset(_REPORTS)
