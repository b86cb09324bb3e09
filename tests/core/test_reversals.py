"""What a reversal takes back: one leg of a transfer, out of all that it was counted in."""

from typing import Any

import pytest

from schemas.record import Record
from streams.inputs import Raw
from tests.core.strategies import DAY, NOW, message, transfer
from tests.core.test_any_order import NO_RULES, WHO, record_of

Told = tuple[str, dict[str, Any]]


def leg(direction: str) -> dict[str, Any]:
    """Between own accounts: both have one id."""
    return transfer(1, 1000, None, direction) | {"channel": "app"}


def told(*events: Told) -> Record:
    raws = []
    for n, (kind, data) in enumerate(events):
        value = message(kind, data, at=NOW - DAY + n, customer=WHO, event_id=str(n))
        raws.append(Raw("bank.core", 0, n, WHO.encode(), value))
    return record_of(raws, NO_RULES)


DONE = ("transfer.completed", leg("out")), ("transfer.completed", leg("in"))
TAKEN_BACK = ("transfer.reversed", leg("out")), ("transfer.reversed", leg("in"))


@pytest.mark.parametrize("events", [DONE + TAKEN_BACK, TAKEN_BACK + DONE])
def test_each_leg_is_reversed_by_itself(events: tuple[Told, ...]) -> None:
    record = told(*events)
    activity = record.activity
    assert (activity.inflow.base_total, activity.outflow.base_total) == (0, 0)
    (month,) = (record.months.get(number) for number in record.months)
    assert month is not None
    assert (month.inflow.total, month.outflow.total) == (0, 0)
    assert (month.channels["app"].count, month.channels["app"].total) == (0, 0)


def test_a_reversal_leaves_the_other_leg() -> None:
    activity = told(*DONE, TAKEN_BACK[0]).activity
    assert (activity.inflow.base_total, activity.outflow.base_total) == (1000, 0)
