"""Folds: patches, last writers, states that come out of order, and limits."""

import itertools
import pkgutil
import re
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from random import Random
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.activity import ActivitySection
from schemas.events import EVENT_TYPES
from schemas.events.app import PageData
from schemas.events.card import CardLimitData
from schemas.events.core import (
    AccountClosedData,
    AccountOpenedData,
    BalanceData,
    BenefitData,
    CustomerData,
    DepositData,
    DepositRedeemedData,
    TagData,
)
from schemas.profile import Holding, ProfileSection
from streams import fold
from streams.fold import accounts, basics, cards, deposits, interests, visits
from streams.months import moment

patches = st.fixed_dictionaries(
    {},
    optional={
        "tier": st.sampled_from([None, "gold", "diamond"]),
        "language": st.sampled_from([None, "zh", "en"]),
        "attributes": st.dictionaries(
            st.sampled_from(["x", "y"]), st.sampled_from([None, 1, "two"]), max_size=2
        ),
    },
)


@given(st.lists(st.tuples(patches, st.integers(0, 5)), max_size=12))
def test_patches_are_last_writer_wins_by_event_time(
    arrivals: list[tuple[dict[str, object], int]],
) -> None:
    profile = ProfileSection()
    for patch, at in arrivals:
        basics.customer_updated(profile, msgspec.convert(patch, CustomerData), moment(at))
    expected: dict[str, object] = {}
    for patch, _ in sorted(arrivals, key=lambda arrival: arrival[1]):
        expected.update({k: v for k, v in patch.items() if k != "attributes"})
        expected.update({f"a.{k}": v for k, v in patch.get("attributes", {}).items()})  # type: ignore[attr-defined]  # a dict, see above
    assert profile.basics.tier == expected.get("tier")
    assert profile.basics.language == expected.get("language")
    for name in ("x", "y"):
        assert profile.attributes.get(name) == expected.get(f"a.{name}")


@given(st.sampled_from(range(2, 5)), st.data())
def test_a_tag_is_what_was_said_last(said: int, data: st.DataObject) -> None:
    order = data.draw(st.permutations([("+", 1), ("-", 2), ("+", 3), ("-", 4)][:said]))
    profile = ProfileSection()
    for sign, at in order:
        change = basics.tag_added if sign == "+" else basics.tag_removed
        change(profile, TagData(tag="golf"), moment(at))
    assert ("golf" in profile.tags) == (said == 3)


def balance(amount: int) -> BalanceData:
    value = Decimal(amount)
    return BalanceData(account="A", currency="CNY", balance=value, base_balance=value)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_accounts_do_not_care_for_the_order_of_arrival(order: tuple[int, ...]) -> None:
    steps = [
        lambda p: accounts.opened(
            p, AccountOpenedData(account="A", kind="current", currency="CNY"), moment(1)
        ),
        lambda p: accounts.balance_reported(p, balance(10), moment(2)),
        lambda p: accounts.balance_reported(p, balance(20), moment(3)),
        lambda p: accounts.closed(p, AccountClosedData(account="A"), moment(4)),
    ]
    profile = ProfileSection()
    for n in order:
        steps[n](profile)
    account = profile.accounts["A"]
    assert (account.balance, account.balance_at) == (Decimal(20), 3)
    assert (account.opened_at, account.closed_at) == (1, 4)
    assert not accounts.is_open(account)


def test_a_deposit_is_placed_renewed_and_redeemed() -> None:
    profile = ProfileSection()

    def placed(principal: int, at: int) -> None:
        value = Decimal(principal)
        data = DepositData(
            deposit="D",
            principal=value,
            currency="CNY",
            base_principal=value,
            rate=Decimal("0.02"),
            matures_on="2026-12-01",
        )
        deposits.placed(profile, data, moment(at))

    placed(100, 1)
    placed(300, 3)
    placed(200, 2)
    assert profile.deposits["D"].principal == 300
    deposits.redeemed(
        profile, DepositRedeemedData(deposit="D", amount=Decimal(300), currency="CNY"), moment(4)
    )
    assert profile.deposits["D"].state == "redeemed"


def tell(profile: ProfileSection, event_type: str, at: int, **known: object) -> None:
    """A word on the one thing of its kind."""
    about = {"holding": "X", "product": "P", "product_class": "fund", "loan": "X", "kind": "car"}
    money = {"amount": "1", "base_amount": "1", "currency": "CNY"}
    data = get_type_hints(EVENT_TYPES[event_type])["data"]
    change = (fold.ASSET_FOLDS | fold.PROFILE_FOLDS)[event_type]
    change(profile, msgspec.convert(about | money | known, data), moment(at))


days = st.none() | st.sampled_from(["2026-03-01", "2026-04-01"])
optional = {
    "product": {"risk_level": st.none() | st.integers(1, 5), "matures_on": days},
    "loan": {"rate": st.none() | st.sampled_from(["0.03", "0.04"]), "due_on": days},
}


@given(st.data(), st.randoms(), st.sampled_from([1, 40 * 86_400_000]))
def test_what_a_word_on_a_thing_leaves_out_stays_as_it_was_told_last(
    data: st.DataObject, random: Random, apart: int
) -> None:
    """Of more and of less of it, in any order of arrival."""
    kind = data.draw(st.sampled_from(["product", "loan"]))
    signs = ("purchased", "redeemed") if kind == "product" else ("drawn", "repaid")
    words = st.tuples(st.sampled_from(signs), st.fixed_dictionaries(optional[kind]))
    told = data.draw(st.lists(words, min_size=1, max_size=8))
    arrivals = list(enumerate(told))
    random.shuffle(arrivals)
    profile = ProfileSection()
    for n, (sign, known) in arrivals:
        tell(profile, f"{kind}.{sign}", n * apart, **known)
    (thing,) = (*profile.holdings.values(), *profile.loans.values())
    for name in optional[kind]:
        last = [one[name] for _, one in told if one[name] is not None][-1:]
        kept = getattr(thing, name)
        assert (str(kept) if isinstance(kept, Decimal) else kept) == (last or [None])[0]


def test_a_thing_that_was_kept_without_ages_has_what_its_last_word_told() -> None:
    fields = msgspec.to_builtins(Holding(matures_on="2026-03-01", changed_at=20))[:-2]
    stored = msgspec.convert(fields, Holding)
    profile = ProfileSection(holdings={"X": stored})
    tell(profile, "product.redeemed", 40)
    tell(profile, "product.purchased", 19, matures_on="2026-04-01")
    assert profile.holdings["X"].matures_on == "2026-03-01"
    tell(profile, "product.purchased", 21, matures_on="2026-04-01")
    assert profile.holdings["X"].matures_on == "2026-04-01"


def test_consents_that_rules_ask_for_are_kept_before_others() -> None:
    profile = ProfileSection()
    others = [f"another {n:02}" for n in range(20)]
    channels = dict.fromkeys([*others, "WeChat"], False)
    told = dict.fromkeys([*others, "service"], channels)
    basics.customer_updated(profile, CustomerData(consents=told), moment(1))
    kept = profile.basics.consents or {}
    assert len(kept) == basics.MAX_PURPOSES
    assert len(kept["service"]) == basics.MAX_CHANNELS
    assert kept["service"]["WeChat"] is False


def test_what_falls_off_is_counted() -> None:
    profile, activity = ProfileSection(), ActivitySection()
    for n in range(100):
        accounts.opened(
            profile, AccountOpenedData(account=f"A{n}", kind="current", currency="CNY"), moment(n)
        )
        basics.tag_added(profile, TagData(tag=f"t{n}"), moment(n))
        visits.page_viewed(activity, PageData(page="p", page_topic=f"topic {n}"), moment(n))
    assert len(profile.accounts) == accounts.MAX_ACCOUNTS
    assert profile.dropped["accounts"] == 100 - accounts.MAX_ACCOUNTS
    assert len(profile.tags) == basics.MAX_TAGS
    assert sum(activity.visits.by_topic.values()) == 100
    assert len(activity.visits.by_topic) == visits.MAX_TOPICS + 1


def test_what_unlike_benefits_cost_has_a_sum_in_the_base_currency_alone() -> None:
    profile = ProfileSection()
    for n in range(interests.MAX_BENEFITS + 4):
        currency = "USD" if n % 2 else "CNY"
        cost = Decimal(n)
        data = BenefitData(benefit=f"b{n:03}", cost=cost, currency=currency, base_cost=cost * 7)
        interests.used(profile, data, moment(n))
    other = profile.benefits["other"]
    assert (other.count, other.cost) == (4, 0)
    assert other.base_cost == 7 * sum(range(n - 3, n + 1))


def test_the_bounds_that_the_readme_tells_are_the_constants() -> None:
    text = (Path(fold.__file__).parents[1] / "README.md").read_text()
    _, _, begun = text.partition("<!-- bounds")
    rows = re.findall(r"^\|[^|]+\| ([\d,]+) \| `([\w.]+)\.(\w+)` \|", begun, re.MULTILINE)
    told = {(module, name): int(most.replace(",", "")) for most, module, name in rows}
    assert told == {(one, name): getattr(import_module(one), name) for one, name in told}
    modules = [f"streams.fold.{one.name}" for one in pkgutil.iter_modules(fold.__path__)]
    kept = {(one, n) for one in modules for n in vars(import_module(one)) if n.startswith("MAX_")}
    assert kept <= told.keys(), "every bound is told"


limits = st.builds(
    CardLimitData,
    card=st.just("K1"),
    limit=st.integers(1, 9).map(Decimal),
    previous=st.none() | st.integers(1, 9).map(Decimal),
    currency=st.just("CNY"),
    temporary_until=st.none() | st.sampled_from(["2026-03-01", "2026-04-01"]),
)


@given(st.lists(limits, min_size=1, max_size=8), st.randoms())
def test_a_temporary_limit_gives_way_to_the_standing_one(
    told: list[CardLimitData], random: Random
) -> None:
    """The last that is not temporary; without one, what the first temporary one came after."""
    arrivals = list(enumerate(told))
    random.shuffle(arrivals)
    profile = ProfileSection()
    for at, data in arrivals:
        cards.limit_changed(profile, data, moment(at))
    standing = [one.limit for one in told if one.temporary_until is None][-1:]
    named = [one.previous for one in told if one.previous is not None]
    kept = (standing or named or [None])[0]
    last, card = told[-1], profile.cards["K1"]
    known = (card.limit, card.limit_until, card.standing)
    assert cards.in_force(*known, date(2026, 3, 1)) == (last.limit, last.temporary_until)
    for day, until in ((date(2026, 3, 2), "2026-03-01"), (date(2026, 4, 2), "2026-04-01")):
        if last.temporary_until == until:
            assert cards.in_force(*known, day) == (kept, None)
