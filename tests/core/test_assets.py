"""Asset totals equal a brute-force ledger over all events, now and at the end of every month."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.effects import Profile
from schemas.envelope import from_millis
from schemas.record import Record
from streams.assets import assets_by_month, loans_by_month, totals, worth
from streams.history import MONTHS
from streams.inputs import Input, Raw
from streams.intake import read
from streams.months import month_name
from streams.portrait.parts import Amount
from streams.portrait.time_line import time_line
from streams.step import step
from tests.core.all_types import DAYS
from tests.core.strategies import DAY, NOW, message
from tests.core.test_any_order import NO_RULES, SPAN, WHO, record_of
from tests.core.test_any_order import histories as of_all_types

amounts = st.integers(0, 10**7).map(lambda cents: str(Decimal(cents) / 100))
names = st.sampled_from(["1", "2", "3"])


def told(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"currency": st.just("CNY"), **fields})


def twice(name: str, base: str, data: st.SearchStrategy[dict[str, Any]]) -> Any:
    """In the base currency, too, by rates that move."""
    rates = st.sampled_from([Decimal(1), Decimal("6.9"), Decimal("7.2")])
    return st.builds(lambda one, by: {**one, base: str(Decimal(one[name]) * by)}, data, rates)


left = st.just("0") | amounts
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


def taken(data: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some say what is left."""
    return st.builds(lambda one, more: {**one, **more}, data, st.just({}) | left_told)


left_told = st.fixed_dictionaries({"left": left})
events = st.one_of(
    st.tuples(
        st.just("balance.reported"),
        twice("balance", "base_balance", told(account=names, balance=amounts)),
    ),
    st.tuples(st.just("account.opened"), told(account=names, kind=st.just("current"))),
    st.tuples(st.just("account.closed"), st.fixed_dictionaries({"account": names})),
    st.tuples(st.sampled_from(["deposit.placed", "deposit.renewed"]), deposit),
    st.tuples(st.just("deposit.redeemed"), taken(told(deposit=names, amount=amounts))),
    st.tuples(st.just("product.purchased"), product),
    st.tuples(st.just("product.redeemed"), taken(product)),
    st.tuples(st.just("loan.drawn"), loan),
    st.tuples(st.just("loan.repaid"), taken(loan)),
)
Entry = tuple[int, str, dict[str, Any]]
histories = st.lists(
    st.tuples(st.integers(0, SPAN), events), min_size=1, max_size=25, unique_by=lambda one: one[0]
).map(lambda drawn: [(NOW - age, kind, data) for age, (kind, data) in drawn])


class Pot:
    """Something that is filled and emptied: in its own currency, and in the base currency."""

    def __init__(self) -> None:
        self.amount, self.base = Fraction(0), Fraction(0)

    def put(self, amount: str, base: str) -> None:
        owed = min(max(-self.amount, Fraction(0)), Fraction(amount))
        self.amount += Fraction(amount)
        if self.amount > 0 and Fraction(amount):
            self.base += Fraction(base) * (1 - owed / Fraction(amount))

    def take(self, data: dict[str, Any]) -> None:
        amount, base = Fraction(data["amount"]), Fraction(data.get("base_amount", 0))
        left = Fraction(data["left"]) if "left" in data else self.amount - amount
        if self.amount > 0 and self.base:
            self.base *= max(left, Fraction(0)) / self.amount
        else:
            self.base = base * left / amount if "left" in data and amount else Fraction(0)
        self.amount = left


class Ledger:
    """What there is at a moment: all events up to it, one after the other."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.balances: defaultdict[str, Fraction] = defaultdict(Fraction)
        self.closed: dict[str, int] = {}
        self.opened: dict[str, int] = {}
        self.deposits: defaultdict[str, Pot] = defaultdict(Pot)
        self.products: defaultdict[str, Pot] = defaultdict(Pot)
        self.classes: dict[str, str] = {}
        self.loans: defaultdict[str, Pot] = defaultdict(Pot)
        for at, kind, data in sorted(entries, key=lambda one: one[0]):
            self.book(at, kind, data)

    def book(self, at: int, kind: str, data: dict[str, Any]) -> None:
        match kind:
            case "balance.reported":
                self.balances[data["account"]] = Fraction(data["base_balance"])
            case "account.opened":
                self.opened[data["account"]] = at
            case "account.closed":
                self.closed[data["account"]] = at
            case "deposit.placed" | "deposit.renewed":
                self.deposits[data["deposit"]] = Pot()
                self.deposits[data["deposit"]].put(data["principal"], data["base_principal"])
            case "deposit.redeemed":
                self.deposits[data["deposit"]].take(data)
            case "product.purchased":
                self.products[data["holding"]].put(data["amount"], data["base_amount"])
                self.classes[data["holding"]] = data["product_class"]
            case "product.redeemed":
                self.products[data["holding"]].take(data)
                self.classes[data["holding"]] = data["product_class"]
            case "loan.drawn":
                self.loans[data["loan"]].put(data["amount"], data["base_amount"])
            case "loan.repaid":
                self.loans[data["loan"]].take(data)

    def balance(self) -> Fraction:
        return sum((b for name, b in self.balances.items() if self.is_open(name)), Fraction(0))

    def is_open(self, name: str) -> bool:
        return self.closed.get(name, -1) < self.opened.get(name, 0)

    def held(self, product_class: str) -> Fraction:
        classes = {"gold": "other"}
        return total(
            pot
            for name, pot in self.products.items()
            if classes.get(self.classes[name], self.classes[name]) == product_class
        )

    def owed(self) -> Fraction:
        return total(self.loans.values())

    def assets(self) -> Fraction:
        return self.balance() + total(self.deposits.values()) + total(self.products.values())


def total(pots: Iterable[Pot]) -> Fraction:
    return sum((pot.base for pot in pots if pot.amount > 0), Fraction(0))


def same(found: Decimal, expected: Fraction) -> bool:
    """But for the rounding of shares to the fourth decimal, and what is taken of one later."""
    return abs(Fraction(found) - expected) <= max(Fraction(1), abs(expected)) / 100


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
    assert same(found.base_deposits, total(ledger.deposits.values()))
    assert same(found.wealth, ledger.held("wealth"))
    assert same(found.funds, ledger.held("fund"))
    assert same(found.insurance, ledger.held("insurance"))
    assert same(found.other, ledger.held("other"))
    assert found.holdings == sum(pot.amount > 0 for pot in ledger.products.values())
    assert found.loans == sum(pot.amount > 0 for pot in ledger.loans.values())
    assert same(found.base_loans, ledger.owed())
    assert same(found.assets, ledger.assets())


def test_what_is_taken_of_a_thing_without_a_base_amount_leaves_none() -> None:
    product = {"currency": "CNY", "holding": "1", "product": "1", "product_class": "wealth"}
    entries: list[Entry] = [
        (NOW - 2, "product.redeemed", {**product, "amount": "0", "base_amount": "0", "left": "3"}),
        (NOW - 1, "product.redeemed", {**product, "amount": "2", "base_amount": "2"}),
    ]
    assert totals(record_of(list(raws_of(entries)), NO_RULES).profile).wealth == 0


@settings(deadline=None, max_examples=200)
@given(histories)
def test_the_ends_of_months_are_those_of_a_ledger(entries: list[Entry]) -> None:
    record = record_of(list(raws_of(entries)), NO_RULES)
    newest = max(record.months)
    found = assets_by_month(record.profile, newest, totals(record.profile).assets)
    assert len(found) <= MONTHS
    assert list(found)[-1] == newest
    for month, assets in found.items():
        until = [one for one in entries if month_of(one[0]) <= month_name(month)]
        assert same(assets, Ledger(until).assets()), month_name(month)
    owed = loans_by_month(record.profile, newest, totals(record.profile).base_loans)
    assert bool(owed) == any(kind.startswith("loan") for _, kind, _ in entries)
    for month, owing in owed.items():
        until = [one for one in entries if month_of(one[0]) <= month_name(month)]
        assert same(owing, Ledger(until).owed()), month_name(month)
    begun = [month_of(at) for at, kind, _ in entries if not kind.startswith(("loan", "account"))]
    if len(found) < MONTHS:
        assert month_name(min(found)) == min(begun, default=month_name(newest))


@settings(deadline=None, max_examples=100)
@given(histories.map(lambda entries: list(raws_of(entries))) | of_all_types())
def test_what_a_record_keeps_of_its_worth_is_as_if_reckoned_anew(raws: list[Raw]) -> None:
    record = Record(WHO)
    for raw in raws:
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


def test_a_balance_that_is_told_after_the_closing_is_worth_nothing() -> None:
    money = {"account": "1", "currency": "CNY", "balance": "555", "base_balance": "555"}
    closed: Entry = (NOW - 60 * DAY, "account.closed", {"account": "1"})
    late: Entry = (NOW - 59 * DAY, "balance.reported", money)
    now: Entry = (NOW, "balance.reported", money | {"account": "2"})
    for order in permutations((closed, late, now)):
        record = record_of(list(raws_of(order)), NO_RULES)
        assert totals(record.profile).assets == 555
        months = assets_by_month(record.profile, max(record.months), Decimal(555))
        assert list(months.values()) == [0, 0, 555]


def test_the_summary_tells_the_months_that_the_record_does() -> None:
    money = {"account": "1", "currency": "CNY", "balance": "555", "base_balance": "555"}
    before: Entry = (NOW - 31 * DAY, "balance.reported", money)
    record = record_of(list(raws_of([before])), NO_RULES)
    *_, login = raws_of([before, (NOW, "logged.in", {"channel": "app"})])
    (summary,) = step(record, input_of(login), NO_RULES).effects
    assert isinstance(summary, Profile)
    months = assets_by_month(record.profile, max(record.months), totals(record.profile).assets)
    assert summary.data.assets_by_month == {month_name(one): sum_ for one, sum_ in months.items()}
    assert len(months) == 2


def held(*words: tuple[str, str, str], **more: str) -> Record:
    """One thing of each kind, after the words on it: type, amount and base amount."""
    entries = [
        (
            NOW - DAY + n,
            kind,
            {"holding": "1", "product": "F", "product_class": "fund", "currency": "USD"}
            | {"loan": "1", "kind": "mortgage", "amount": amount, "base_amount": base}
            | (more if n == len(words) - 1 else {}),
        )
        for n, (kind, amount, base) in enumerate(words)
    ]
    return record_of(list(raws_of(entries)), NO_RULES)


def test_what_is_redeemed_in_whole_is_gone_whatever_the_rate_is_by_then() -> None:
    bought, fewer = ("product.purchased", "1000", "7200"), ("product.redeemed", "1000", "7000")
    assert totals(held(bought, fewer).profile).holdings == 0
    assert totals(held(bought, ("product.redeemed", "500", "4000")).profile).assets == 3600
    drawn, repaid = ("loan.drawn", "1000", "7200"), ("loan.repaid", "1000", "7000")
    assert totals(held(drawn, repaid).profile).loans == 0


def test_what_is_left_can_be_told() -> None:
    bought, sold = ("product.purchased", "1000", "7200"), ("product.redeemed", "900", "6480")
    assert totals(held(bought, sold, left="0").profile).holdings == 0
    assert totals(held(bought, sold, left="250").profile).assets == 1800
    drawn, repaid = ("loan.drawn", "1000", "7200"), ("loan.repaid", "1030", "7000")
    assert totals(held(drawn, repaid, left="0").profile).base_loans == 0


def test_a_part_of_a_deposit_can_be_redeemed() -> None:
    placed = {"deposit": "D", "principal": "500", "base_principal": "3500", "currency": "USD"}
    placed |= {"rate": "0.02", "matures_on": "2027-01-31"}
    part = {"deposit": "D", "amount": "100", "currency": "USD", "early": True}
    events: list[Entry] = [
        (NOW - 9, "deposit.placed", placed),
        (NOW - 8, "deposit.redeemed", part),
        (NOW - 7, "deposit.redeemed", part | {"left": "200"}),
    ]
    for most, expected in ((2, 2800), (3, 1400)):
        for order in permutations(events[:most]):
            record = record_of(list(raws_of(order)), NO_RULES)
            assert totals(record.profile).base_deposits == expected
            moment = time_line(record, UTC).rows[0]
            assert (moment[1], moment[3]) == (
                "deposit redeemed in part, early",
                Amount(Decimal(100), "USD"),
            )
    rest = (NOW - 6, "deposit.redeemed", part | {"amount": "205"})
    record = record_of(list(raws_of([*events, rest])), NO_RULES)
    assert totals(record.profile).deposits == 0


def month_of(at: int) -> str:
    return from_millis(at).isoformat()[:7]
