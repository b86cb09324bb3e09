"""Asset totals equal a brute-force ledger over all events, now and at the end of every month."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import from_millis
from schemas.record import Record
from streams.assets import assets_by_month, loans_by_month, totals, worth
from streams.history import MONTHS
from streams.inputs import Input, Raw
from streams.intake import read
from streams.months import month_name
from streams.step import step
from tests.core.all_types import DAYS
from tests.core.strategies import DAY, NOW, message
from tests.core.test_any_order import NO_RULES, SPAN, WHO, record_of

amounts = st.integers(0, 10**7).map(lambda cents: str(Decimal(cents) / 100))
names = st.sampled_from(["1", "2", "3"])


def told(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"currency": st.just("CNY"), **fields})


def twice(name: str, base: str, data: st.SearchStrategy[dict[str, Any]]) -> Any:
    """The base currency is CNY, too."""
    return data.map(lambda one: {**one, base: one[name]})


product = twice(
    "amount",
    "base_amount",
    told(
        holding=names,
        product=names,
        product_class=st.sampled_from(["wealth", "fund", "insurance", "gold"]),
        amount=amounts,
    ),
)
loan = twice("amount", "base_amount", told(loan=names, kind=st.just("mortgage"), amount=amounts))
deposit = twice(
    "principal",
    "base_principal",
    told(deposit=names, principal=amounts, rate=st.just("0.02"), matures_on=st.sampled_from(DAYS)),
)
events = st.one_of(
    st.tuples(
        st.just("balance.reported"),
        twice("balance", "base_balance", told(account=names, balance=amounts)),
    ),
    st.tuples(st.just("account.opened"), told(account=names, kind=st.just("current"))),
    st.tuples(st.just("account.closed"), st.fixed_dictionaries({"account": names})),
    st.tuples(st.sampled_from(["deposit.placed", "deposit.renewed"]), deposit),
    st.tuples(st.just("deposit.redeemed"), told(deposit=names, amount=amounts)),
    st.tuples(st.sampled_from(["product.purchased", "product.redeemed"]), product),
    st.tuples(st.sampled_from(["loan.drawn", "loan.repaid"]), loan),
)
Entry = tuple[int, str, dict[str, Any]]
histories = st.lists(
    st.tuples(st.integers(0, SPAN), events), min_size=1, max_size=25, unique_by=lambda one: one[0]
).map(lambda drawn: [(NOW - age, kind, data) for age, (kind, data) in drawn])


class Ledger:
    """What there is at a moment: all events up to it, one after the other."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.balances: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.closed: dict[str, int] = {}
        self.opened: dict[str, int] = {}
        self.deposits: dict[str, Decimal] = {}
        self.products: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.classes: dict[str, str] = {}
        self.loans: defaultdict[str, Decimal] = defaultdict(Decimal)
        for at, kind, data in sorted(entries, key=lambda one: one[0]):
            self.book(at, kind, data)

    def book(self, at: int, kind: str, data: dict[str, Any]) -> None:
        match kind:
            case "balance.reported":
                self.balances[data["account"]] = Decimal(data["base_balance"])
            case "account.opened":
                self.opened[data["account"]] = at
            case "account.closed":
                self.closed[data["account"]] = at
            case "deposit.placed" | "deposit.renewed":
                self.deposits[data["deposit"]] = Decimal(data["base_principal"])
            case "deposit.redeemed":
                self.deposits.pop(data["deposit"], None)
            case "product.purchased" | "product.redeemed":
                sign = 1 if kind == "product.purchased" else -1
                self.products[data["holding"]] += sign * Decimal(data["base_amount"])
                self.classes[data["holding"]] = data["product_class"]
            case "loan.drawn" | "loan.repaid":
                sign = 1 if kind == "loan.drawn" else -1
                self.loans[data["loan"]] += sign * Decimal(data["base_amount"])

    def balance(self) -> Decimal:
        return sum((b for name, b in self.balances.items() if self.is_open(name)), Decimal(0))

    def is_open(self, name: str) -> bool:
        return self.closed.get(name, -1) < self.opened.get(name, 0)

    def held(self, product_class: str) -> Decimal:
        classes = {"gold": "other"}
        return sum(
            (
                amount
                for name, amount in self.products.items()
                if amount > 0
                and classes.get(self.classes[name], self.classes[name]) == product_class
            ),
            Decimal(0),
        )

    def owed(self) -> Decimal:
        return sum((amount for amount in self.loans.values() if amount > 0), Decimal(0))

    def assets(self) -> Decimal:
        products = sum((amount for amount in self.products.values() if amount > 0), Decimal(0))
        return self.balance() + sum(self.deposits.values(), Decimal(0)) + products


def raws_of(entries: Sequence[Entry]) -> Iterator[Raw]:
    for n, (at, kind, data) in enumerate(entries):
        value = message(kind, data, at=at, customer=WHO, event_id=str(n))
        yield Raw("bank.core", 0, n, WHO.encode(), value)


@settings(deadline=None, max_examples=200)
@given(histories)
def test_totals_are_those_of_a_ledger(entries: list[Entry]) -> None:
    found = totals(record_of(list(raws_of(entries)), NO_RULES).profile)
    ledger = Ledger(entries)
    assert found.balance == ledger.balance()
    assert found.base_deposits == sum(ledger.deposits.values(), Decimal(0))
    assert found.wealth == ledger.held("wealth")
    assert found.funds == ledger.held("fund")
    assert found.insurance == ledger.held("insurance")
    assert found.other == ledger.held("other")
    assert found.base_loans == ledger.owed()
    assert found.assets == ledger.assets()
    assert found.net == ledger.assets() - ledger.owed()


@settings(deadline=None, max_examples=200)
@given(histories)
def test_the_ends_of_months_are_those_of_a_ledger(entries: list[Entry]) -> None:
    # An account that is closed and reported on afterwards is a fault of its source.
    entries = [one for one in entries if one[1] not in {"account.opened", "account.closed"}]
    if not entries:
        return
    record = record_of(list(raws_of(entries)), NO_RULES)
    newest = max(record.months)
    found = assets_by_month(record.profile, newest, totals(record.profile).assets)
    assert len(found) <= MONTHS
    assert list(found)[-1] == newest
    for month, assets in found.items():
        until = [one for one in entries if month_of(one[0]) <= month_name(month)]
        assert assets == Ledger(until).assets(), month_name(month)
    owed = loans_by_month(record.profile, newest, totals(record.profile).base_loans)
    assert bool(owed) == any(kind.startswith("loan") for _, kind, _ in entries)
    for month, total in owed.items():
        until = [one for one in entries if month_of(one[0]) <= month_name(month)]
        assert total == Ledger(until).owed(), month_name(month)
    begun = [month_of(at) for at, kind, _ in entries if not kind.startswith("loan")]
    if len(found) < MONTHS:
        assert month_name(min(found)) == min(begun, default=month_name(newest))


@settings(deadline=None, max_examples=100)
@given(histories)
def test_what_a_record_keeps_of_its_worth_is_as_if_reckoned_anew(entries: list[Entry]) -> None:
    record = Record(WHO)
    for raw in raws_of(entries):
        step(record, input_of(raw), NO_RULES)
        profile, newest = record.profile, max(record.months)
        sums = totals(profile)
        assert worth(record).totals == sums
        assert worth(record).months(newest) == (
            assets_by_month(profile, newest, sums.assets),
            loans_by_month(profile, newest, sums.base_loans),
        )


def input_of(raw: Raw) -> Input:
    event = read(raw, NO_RULES.settings).input
    assert event is not None
    return event


def test_a_closed_account_counts_until_it_was_closed() -> None:
    month = 31 * DAY
    entries: list[Entry] = [
        (
            NOW - 3 * month,
            "balance.reported",
            {"account": "1", "currency": "CNY", "balance": "70", "base_balance": "70"},
        ),
        (NOW - month, "account.closed", {"account": "1"}),
    ]
    record = record_of(list(raws_of(entries)), NO_RULES)
    found = assets_by_month(record.profile, max(record.months), Decimal(0))
    assert list(found.values()) == [70, 70, 0]
    assert totals(record.profile).assets == 0


def month_of(at: int) -> str:
    return from_millis(at).isoformat()[:7]
