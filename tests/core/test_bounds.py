"""Beyond the bounds: the same properties with bounds so small that things fall off all the time.

What does not hold there is said, too (streams/README.md, *What a record keeps*): what fell off and
is told of again begins anew, and how often things fell off depends on the order of events.
"""

import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import unpack_declines, unpack_line, unpack_reversible
from schemas.events import EVENT_TYPES
from schemas.events.core import TagData
from schemas.profile import Account, ProfileSection
from schemas.record import Record
from streams import fold as folds
from streams.fold import basics, fold
from streams.fold.accounts import is_open
from streams.fold.bounded import OTHER
from streams.fold.relations import relation_key
from streams.fold.service_line import CONTACT_TYPES
from streams.inputs import Input, Raw
from streams.intake import read
from streams.months import moment
from tests.core.all_types import data_of
from tests.core.strategies import DAY, NOW, message
from tests.core.test_any_order import NO_RULES, RULES, SETTINGS, SPAN, WHO, record_of, told

LIMIT = 3
BOUNDS = [
    (module, name)
    for module in (
        import_module(f"streams.fold.{one.name}") for one in pkgutil.iter_modules(folds.__path__)
    )
    for name in vars(module)
    if name.startswith("MAX_") and not name.endswith("_BYTES")
]
NAMED = {
    "account.opened": "account",
    "account.closed": "account",
    "balance.reported": "account",
    "deposit.placed": "deposit",
    "deposit.renewed": "deposit",
    "deposit.redeemed": "deposit",
    "product.purchased": "holding",
    "product.redeemed": "holding",
    "loan.drawn": "loan",
    "loan.repaid": "loan",
    "card.issued": "card",
    "card.limit_changed": "card",
    "statement.issued": "card",
    "card.authorised": "card",
    "card.reversed": "card",
    "relation.added": "other",
    "relation.removed": "other",
    "interest.recorded": "interest",
    "benefit.used": "benefit",
    "tag.added": "tag",
    "tag.removed": "tag",
    "page.viewed": "page_topic",
    "journey.started": "journey",
}
"""Event type → the field that names what it is about; here of more things than are kept."""
COUNTED = {
    "page.viewed",
    "benefit.used",
    "journey.started",
    "card.settled",
    "card.declined",
    "logged.in",
}
WHOLE = {"relation.added", "relation.removed", "interest.recorded", "transfer.completed"}
"""Types of which each event tells the whole of its thing."""
ANY_ORDER = sorted(COUNTED | WHOLE | CONTACT_TYPES)
BEGINNINGS = {
    "account.opened": "accounts",
    "deposit.placed": "deposits",
    "product.purchased": "holdings",
    "loan.drawn": "loans",
    "card.issued": "cards",
    "tag.added": "tags",
}
RANKS: Mapping[str, Callable[[Any], tuple[bool, int]]] = {
    "accounts": lambda one: (is_open(one), last_word(one)),
    "deposits": lambda one: (one.state == "open", one.changed_at),
    "holdings": lambda one: (one.amount > 0, one.changed_at),
    "loans": lambda one: (one.amount > 0, one.changed_at),
    "cards": lambda one: (True, one.changed_at),
    "relations": lambda one: (True, one.at),
    "interests": lambda one: (True, one.at),
}
"""What stays longest, as the README tells it."""


def last_word(account: Account) -> int:
    return max(account.balance_at, account.opened_at or 0, account.closed_at or 0)


@contextmanager
def small_bounds() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module, name in BOUNDS:
            patch.setattr(module, name, LIMIT)
        yield


@st.composite
def histories(draw: st.DrawFn, types: list[str], size: int = 30) -> list[Raw]:
    """What happened to one customer, in the order of time; of a few types, so that they meet."""
    few = draw(st.lists(st.sampled_from(types), min_size=1, max_size=3, unique=True))
    span = draw(st.sampled_from([20 * DAY, SPAN]))
    least = draw(st.sampled_from([1, size // 2]))
    ages = draw(st.lists(st.integers(0, span), unique=True, min_size=least, max_size=size))
    raws = []
    for n, age in enumerate(sorted(ages, reverse=True)):
        kind = draw(st.sampled_from(few))
        data = draw(data_of(kind))
        if kind in NAMED:
            data[NAMED[kind]] = f"N{draw(st.integers(0, 8))}"
        if kind == "transfer.completed":
            data["transfer"] = f"T{n}"  # a transfer has one event
        value = message(kind, data, at=NOW - age, customer=WHO, event_id=str(n))
        raws.append(Raw("bank.core", 0, n, WHO.encode(), value))
    return raws


def steps(record: Record, raws: list[Raw]) -> Iterator[tuple[str, Any, int]]:
    """Each event's type, data and time, once it is folded."""
    for raw in raws:
        event = read(raw, SETTINGS).input
        assert event is not None
        fold(record, event, late=False)
        yield event.type, event.event.data, event.at


def too_many(record: Record) -> list[str]:
    profile, activity = record.profile, record.activity
    months = [month for number in record.months if (month := record.months.get(number))]
    consents = profile.basics.consents or {}
    kept: list[tuple[str, Any]] = [
        *((name, getattr(profile, name)) for name in (*RANKS, "tags", "written", "attributes")),
        ("family", profile.basics.family or ()),
        ("consents", consents),
        *(("channels of a consent", channels) for channels in consents.values()),
        ("uses", activity.uses),
        ("line", unpack_line(activity.line)),
        ("transfers", activity.transfers),
        *(("inflows", month.inflows) for month in months),
    ]
    counters: list[dict[str, Any]] = [
        profile.benefits,
        activity.visits.by_topic,
        activity.visits.journeys,
        *(month.channels for month in months),
        *(month.categories for month in months),
    ]
    kept += [("counter", counts.keys() - {OTHER}) for counts in counters]
    return [name for name, held in kept if len(held) > LIMIT]


def touched(kind: str, data: Any) -> tuple[str, str] | None:
    """The things that an event is about, and its key among them."""
    if kind.startswith("relation."):
        return "relations", relation_key(data.other, data.relation, reverse=data.reverse)
    field = NAMED.get(kind, "")
    if f"{field}s" in RANKS and kind not in {"card.authorised", "card.reversed"}:
        return f"{field}s", getattr(data, field)
    return None


def things(profile: ProfileSection) -> dict[str, dict[str, Any]]:
    return {name: dict(getattr(profile, name)) for name in RANKS}


@settings(deadline=None, max_examples=200)
@given(histories(sorted(EVENT_TYPES)))
def test_no_bound_is_exceeded_and_what_gives_way_is_the_least_and_counted(raws: list[Raw]) -> None:
    with small_bounds():
        record = Record(WHO)
        before, counted = things(record.profile), dict(record.profile.dropped)
        for kind, data, _ in steps(record, raws):
            assert not too_many(record)
            after, dropped = things(record.profile), dict(record.profile.dropped)
            about = touched(kind, data)
            for name, rank in RANKS.items():
                new = {about[1]} if about and about[0] == name else set()
                gone = (before[name].keys() | new) - after[name].keys()
                assert dropped.get(name, 0) - counted.get(name, 0) == len(gone), name
                left = min(map(rank, after[name].values()), default=None)
                assert all(left and rank(before[name][one]) <= left for one in gone - new)
            before, counted = after, dropped
        activity = record.activity
        held = len(unpack_line(activity.line))
        assert activity.contacts == held + activity.dropped.get("line", 0)


@settings(deadline=None)
@given(histories(sorted(EVENT_TYPES)), st.data())
def test_any_split_gives_the_same_bytes(raws: list[Raw], data: st.DataObject) -> None:
    splits = data.draw(st.lists(st.integers(0, len(raws)), max_size=4))
    with small_bounds():
        assert record_of(raws, RULES, splits).stored == record_of(raws, RULES).stored


@settings(deadline=None, max_examples=200)
@given(histories(ANY_ORDER), st.data())
def test_counters_and_what_each_event_tells_whole_do_not_depend_on_the_order(
    raws: list[Raw], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(raws))
    moved = [Raw(one.topic, 0, n, one.key, one.value) for n, one in enumerate(order)]
    with small_bounds():
        found, expected = record_of(moved, NO_RULES), record_of(raws, NO_RULES)
    for record in (found, expected):
        for name in ("relations", "interests"):  # what falls off again is counted again
            record.profile.dropped.pop(name, None)
    assert told(found) == told(expected)
    assert_kept(expected, [one for raw in raws if (one := read(raw, SETTINGS).input)])


def assert_kept(record: Record, events: list[Input]) -> None:
    """Of counters the first by name, of a line the newest, of inflows the largest."""
    activity = record.activity
    topics = Counter(one.event.data.page_topic for one in events if one.type == "page.viewed")  # type: ignore[attr-defined]  # of this type
    first = dict(sorted(topics.items())[:LIMIT])
    other = topics.total() - sum(first.values())
    assert activity.visits.by_topic == first | ({OTHER: other} if other else {})
    contacts = sorted(one.at for one in events if one.type in CONTACT_TYPES)
    assert [one.at for one in unpack_line(activity.line)] == contacts[-LIMIT:]
    refused = sorted(one.at for one in events if one.type == "card.declined")
    assert [one.at for one in unpack_declines(activity.declines)] == refused[-LIMIT:]
    made = [one for one in events if one.type == "transfer.completed"]
    times = sorted(one.at for one in made)
    assert [unpack_reversible(one).at for one in activity.transfers] == times[-LIMIT:]
    for number in record.months:
        month = record.months.get(number)
        assert month is not None
        inflows = sorted(
            one.event.data.base_amount  # type: ignore[attr-defined]  # of this type
            for one in made
            if moment(one.at).month == number
            and one.event.data.direction == "in"  # type: ignore[attr-defined]  # of this type
            and one.event.data.counterparty_name  # type: ignore[attr-defined]  # of this type
        )
        assert [one.amount for one in month.inflows] == inflows[-LIMIT:]


@settings(deadline=None)
@given(histories(["relation.added", "relation.removed", "interest.recorded"]), st.randoms())
def test_of_relations_and_interests_the_newest_are_kept(raws: list[Raw], chance: Any) -> None:
    chance.shuffle(raws)
    with small_bounds():
        record = Record(WHO)
        newest: dict[tuple[str, str], int] = {}
        for kind, data, at in steps(record, raws):
            about = touched(kind, data)
            assert about is not None
            newest[about] = max(at, newest.get(about, 0))
    for name in ("relations", "interests"):
        times = sorted((at, key) for (what, key), at in newest.items() if what == name)
        held = {key: one.at for key, one in getattr(record.profile, name).items()}
        assert held == {key: at for at, key in times[-LIMIT:]}


@settings(deadline=None)
@given(
    st.sampled_from(sorted(BEGINNINGS)),
    st.lists(st.integers(0, SPAN), unique=True, min_size=1, max_size=9),
    st.data(),
)
def test_of_things_that_are_told_once_the_newest_are_kept(
    kind: str, ages: list[int], data: st.DataObject
) -> None:
    name, drawn = BEGINNINGS[kind], data.draw(data_of(kind))
    for amount in {"amount", "base_amount"} & drawn.keys():
        drawn[amount] = "5"
    raws = []
    for n, age in enumerate(ages):
        value = message(
            kind, drawn | {NAMED[kind]: f"N{n}"}, at=NOW - age, customer=WHO, event_id=f"{n}"
        )
        raws.append(Raw("bank.core", 0, n, WHO.encode(), value))
    with small_bounds():
        record = record_of(raws, NO_RULES)
    newest = sorted(range(len(ages)), key=lambda n: ages[n])[:LIMIT]
    assert getattr(record.profile, name).keys() == {f"N{n}" for n in newest}
    assert record.profile.dropped.get(name, 0) == max(0, len(ages) - LIMIT)


def test_what_fell_off_and_is_told_of_again_begins_anew() -> None:
    """So beyond the bounds the order counts: an account that was told of in time keeps its kind."""

    def kinds(*order: tuple[str, str, int]) -> dict[str, str]:
        raws = [
            Raw(
                "bank.core",
                0,
                n,
                WHO.encode(),
                message(kind, named(kind, name), at=at, customer=WHO, event_id=str(at)),
            )
            for n, (kind, name, at) in enumerate(order)
        ]
        with small_bounds():
            return {
                name: one.kind for name, one in record_of(raws, NO_RULES).profile.accounts.items()
            }

    first, again = ("account.opened", "A", 1), ("balance.reported", "A", 9)
    others = [("account.opened", name, at) for name, at in (("B", 2), ("C", 3), ("D", 4))]
    assert kinds(first, again, *others)["A"] == "current"
    assert kinds(first, *others, again)["A"] == ""


def named(kind: str, account: str) -> dict[str, Any]:
    if kind == "account.opened":
        return {"account": account, "kind": "current", "currency": "CNY"}
    return {"account": account, "currency": "CNY", "balance": "5", "base_balance": "5"}


def test_a_tag_that_fell_off_does_not_come_back_when_others_are_removed() -> None:
    profile = ProfileSection()
    with small_bounds():
        for at, tag in enumerate("abcd"):
            basics.tag_added(profile, TagData(tag=tag), moment(at))
        basics.tag_removed(profile, TagData(tag="d"), moment(9))
    assert profile.tags.keys() == {"b", "c"}
    assert profile.dropped["tags"] == 1
