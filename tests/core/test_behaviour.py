"""Regular inflows, and the estimate of what a customer brings, against simple twins."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from statistics import median_low
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.activity import Regular, unpack_behaviour
from schemas.envelope import from_millis, to_millis
from schemas.record import Record
from streams.assets import Totals
from streams.contribution import contribution
from streams.fold import transfers
from streams.fold.monthly import MAX_INFLOWS
from streams.inputs import Raw
from tests.core.strategies import DAY, NOW, message
from tests.core.test_any_order import NO_RULES, WHO, record_of

BEGUN = to_millis(
    from_millis(NOW).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
)

UNTIL = 240
"""The day of the last event."""


class Paid(NamedTuple):
    """A transfer in, so many days after the first one could be."""

    day: int
    amount: int
    sender: str | None
    account: str = "A1"
    purpose: str | None = "salary"
    reversed_after: int | None = None
    """Days. Before the transfer, if it is negative."""


def raws_of(paid: Sequence[Paid]) -> list[Raw]:
    """In the order of time; a login at last, so that the months before it are whole."""
    told: list[tuple[int, str, dict[str, Any]]] = []
    for n, one in enumerate(paid):
        at = BEGUN + one.day * DAY + n
        data = {
            "transfer": f"T{n}",
            "account": one.account,
            "direction": "in",
            "amount": str(one.amount),
            "currency": "CNY",
            "base_amount": str(one.amount),
        }
        more = {"counterparty_name": one.sender, "purpose": one.purpose}
        told.append((at, "transfer.completed", data | more))
        if one.reversed_after is not None:
            told.append((at + one.reversed_after * DAY, "transfer.reversed", data))
    told.append((BEGUN + UNTIL * DAY, "logged.in", {"channel": "app"}))
    raws = []
    for n, (at, kind, data) in enumerate(sorted(told, key=lambda one: one[0])):
        value = message(kind, data, at=at, customer=WHO, event_id=f"{n}")
        raws.append(Raw("bank.core", 0, n, WHO.encode(), value))
    return raws


def regular(record: Record) -> list[Regular]:
    return unpack_behaviour(record.activity.behaviour).regular


def expected(paid: Sequence[Paid]) -> list[Regular]:
    """The same, by looking at every sender and account, and every run of months there could be."""
    newest = month_of(UNTIL)
    found = []
    for sender, account in {(one.sender, one.account) for one in paid if one.sender}:
        months: defaultdict[int, list[Paid]] = defaultdict(list)
        for one in paid:
            if (one.sender, one.account) == (sender, account) and one.reversed_after is None:
                months[month_of(one.day)].append(one)
        last = max((month for month in months if month < newest), default=0)
        if not newest - 2 <= last < newest:
            continue
        largest = max(one.amount for one in months[last])
        runs = [
            run
            for begin in range(last - 2, last - 14, -1)
            if all(len(months[month]) in (1, 2) for month in range(begin, last + 1))
            and all(
                run := [near(months[month], largest) for month in range(begin, last + 1)],
            )
        ]
        if runs:
            longest = max(runs, key=len)
            alike = [one for month in longest for one in month]
            purposes = {one.purpose or "" for one in months[last] if one.amount == largest}
            assert len(purposes) == 1
            amount = Decimal(median_low(one.amount for one in alike))
            day = median_low(day_of_month(one.day) for one in alike)
            found.append(Regular(purposes.pop(), amount, day, len(longest)))
    return sorted(found, key=lambda one: (-one.amount, one.day, one.purpose))


def near(paid: Sequence[Paid], amount: int) -> list[Paid]:
    return [one for one in paid if amount * 3 <= one.amount * 4 <= amount * 5]


def month_of(day: int) -> int:
    at = from_millis(BEGUN + day * DAY)
    return at.year * 12 + at.month - 1


def day_of_month(day: int) -> int:
    return from_millis(BEGUN + day * DAY).day


payments = st.builds(
    Paid,
    day=st.integers(0, 200),
    amount=st.sampled_from([7_500, 8_000, 10_000, 12_500, 13_000]),
    sender=st.sampled_from(["Wang", "Li", None]),
    account=st.sampled_from(["A1", "A2"]),
    purpose=st.just("rent"),
    reversed_after=st.sampled_from([None, None, None, 0, 3, 40, -3]),
)


def monthly(count: int, **more: Any) -> list[Paid]:
    """On the 5th, the last of them in the last whole month."""
    days = [4, 35, 63, 94, 124, 155, 185]
    assert {day_of_month(day) for day in days} == {5}
    return [Paid(day, 10_000, "Wang", **more) for day in days[-count:]]


@settings(deadline=None, max_examples=300)
@given(st.lists(payments, max_size=12, unique_by=lambda one: one.day))
@example(monthly(3))
@example([*monthly(3), Paid(100, 10_000, "Wang")])
@example(monthly(4)[:-1])
def test_they_are_those_of_a_brute_force_search(paid: list[Paid]) -> None:
    by_month = defaultdict(list)
    for one in paid:
        by_month[month_of(one.day)].append(one)
    named = max((sum(bool(one.sender) for one in month) for month in by_month.values()), default=0)
    if named > MAX_INFLOWS:
        return
    assert regular(record_of(raws_of(paid), NO_RULES)) == expected(paid)


def test_a_salary_is_found_from_the_third_month_on() -> None:
    assert not regular(record_of(raws_of(monthly(2)), NO_RULES))
    (found,) = regular(record_of(raws_of(monthly(3)), NO_RULES))
    assert found == Regular("salary", Decimal(10_000), 5, 3)
    (found,) = regular(record_of(raws_of(monthly(7)), NO_RULES))
    assert found.months == 7


@pytest.mark.parametrize("after", [0, 2, 20, 50, -2])
def test_what_was_reversed_is_none(after: int) -> None:
    """Reversed in its month or in another one, and also when the reversal was told first."""
    paid = monthly(3)
    paid[1] = paid[1]._replace(reversed_after=after)
    assert not regular(record_of(raws_of(paid), NO_RULES))
    again = [*paid, paid[1]._replace(day=paid[1].day + 1, reversed_after=None)]
    (found,) = regular(record_of(raws_of(again), NO_RULES))
    assert found.months == 3, "it was paid again"


def test_a_reversal_of_long_ago_is_told_of_what_many_transfers_followed() -> None:
    paid = monthly(3)
    paid[0] = paid[0]._replace(reversed_after=60)
    others = [
        Paid(150, 1, None, purpose=f"{n}") for n in range(transfers.MAX_TRANSFERS + 3)
    ]  # so that the reversed one is kept no longer
    assert not regular(record_of(raws_of([*paid, *others]), NO_RULES))


def test_who_is_not_named_is_nobody() -> None:
    unnamed = [one._replace(sender=None) for one in monthly(5)]
    assert not regular(record_of(raws_of(unnamed), NO_RULES))
    (found,) = regular(record_of(raws_of([*unnamed, *monthly(4)]), NO_RULES))
    assert found.months == 4, "unnamed ones make nobody else's seem more frequent"


def test_other_amounts_other_accounts_and_gaps_are_no_run() -> None:
    paid = monthly(3)
    for other in (
        paid[0]._replace(amount=7_499),
        paid[0]._replace(account="A2"),
        paid[0]._replace(sender="Li"),
        paid[0]._replace(day=paid[0].day - 40),
    ):
        assert not regular(record_of(raws_of([other, *paid[1:]]), NO_RULES)), other
    (found,) = regular(record_of(raws_of([paid[0]._replace(amount=7_500), *paid[1:]]), NO_RULES))
    assert found.amount == 10_000


def test_only_the_largest_of_a_month_are_seen() -> None:
    larger = [Paid(one.day, 50_000 + n, f"{n}") for one in monthly(3) for n in range(MAX_INFLOWS)]
    assert "Wang" not in str(regular(record_of(raws_of([*monthly(3), *larger]), NO_RULES)))
    found = regular(record_of(raws_of([*monthly(3), *larger]), NO_RULES))
    assert {one.amount for one in found} == {50_000 + n for n in range(MAX_INFLOWS)}


@given(st.lists(st.integers(0, UNTIL), min_size=1, max_size=6, unique=True), st.data())
@settings(deadline=None, max_examples=50)
def test_it_is_brought_in_line_whatever_comes_late(days: list[int], data: st.DataObject) -> None:
    """Behaviour is that of the months as they are, after each event."""
    paid = [
        Paid(day, 10_000, "Wang", reversed_after=data.draw(st.sampled_from([None, 5])))
        for day in days
    ]
    raws = raws_of(paid)
    order = data.draw(st.permutations(raws))
    moved = [Raw(one.topic, 0, n, one.key, one.value) for n, one in enumerate(order)]
    assert regular(record_of(moved, NO_RULES)) == regular(record_of(raws, NO_RULES))


sums = st.integers(0, 10**9).map(lambda cents: Decimal(cents) / 100)


@given(st.lists(sums, min_size=7, max_size=7), sums)
def test_the_contribution_is_margins_times_business(amounts: list[Decimal], spent: Decimal) -> None:
    """Margins written down again, in basis points."""
    names = ("balance", "base_deposits", "wealth", "funds", "insurance", "other", "base_loans")
    margins = (150, 80, 50, 80, 100, 50, 200)
    exact = sum((a * m for a, m in zip(amounts, margins, strict=True)), spent * 4 * 50) / 10_000
    found = contribution(Totals(**dict(zip(names, amounts, strict=True))), spent)  # type: ignore[arg-type]  # the names of sums
    assert abs(found - exact) <= Decimal("0.005")
    assert found.as_tuple().exponent == -2


def test_more_business_never_brings_less() -> None:
    base = Totals(balance=Decimal(1_000))
    values = [contribution(base._replace(balance=Decimal(n * 1_000)), Decimal(0)) for n in range(5)]
    assert values == [n * 15 for n in range(5)]
    assert all(one < other for one, other in pairwise(values))
