"""A record never exceeds its limit, whatever comes: all that is kept at its most, and by trying."""

from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from schemas.events import EVENT_TYPES
from schemas.events.core import CustomerData
from schemas.profile import Score
from schemas.record import FOLD_BYTES, MAX_RECORD_BYTES, Record
from streams.attributes import MAX_BYTES
from streams.chunk import apply_chunk
from streams.fold import accounts, basics, cards, deposits, fold, products
from streams.fold.basics import MAX_ATTRIBUTES
from streams.greetings import MAX_OCCASIONS, note_greeting
from streams.inputs import Raw
from streams.intake import read
from streams.months import moment
from streams.rules.owing import OWED_BYTES
from streams.rules.scores import MAX_SCORES, keep
from tests.core.strategies import DAY, NOW, message
from tests.core.test_any_order import RULES, SETTINGS, WHO

LETTERS = ("x", "\N{CYRILLIC SMALL LETTER EF}", "\N{CJK UNIFIED IDEOGRAPH-9F8D}", "\N{DRAGON}")
"""One to four bytes each in UTF-8."""
THINGS = {
    "deposit.placed": deposits.MAX_DEPOSITS,
    "balance.reported": accounts.MAX_ACCOUNTS,
    "product.purchased": products.MAX_HOLDINGS,
    "loan.drawn": products.MAX_LOANS,
    "card.issued": cards.MAX_CARDS,
    "card.limit_changed": cards.MAX_CARDS,
    "statement.issued": cards.MAX_CARDS,
    "account.opened": accounts.MAX_ACCOUNTS,
    "page.viewed": 50,
    "relation.added": 70,
    "tag.added": 200,
}
"""Of how many things a type tells: as many as are kept, so that each fills its months, or more."""
MONTHS = 15
"""More than are kept."""
ENDINGS = {"account.closed", "deposit.redeemed", "product.redeemed", "loan.repaid"}
"""Not told: what ended says less, and gives way first."""


_DAYS = {"birthday", "opened_on", "matures_on", "due_on", "temporary_until"}
_LONG = {"counterparty_country": 2, "country": 2}


class Maker:
    """Events as large as their schemas allow, each about another thing than the ones before."""

    def __init__(self, letter: str) -> None:
        self.letter = letter
        self.number = 0

    def data_of(self, event_type: str, things: int) -> dict[str, Any]:
        """About one of so many things, in turn."""
        self.number = (self.number + 1) % things
        struct = get_type_hints(EVENT_TYPES[event_type])["data"]
        info = inspect.type_info(struct)
        assert isinstance(info, inspect.StructType)
        return {field.name: self.value(field.name, field.type) for field in info.fields}

    def value(self, name: str, kind: inspect.Type) -> Any:
        fixed = self._named(name)
        if fixed is not None:
            return fixed
        match kind:
            case inspect.Metadata(type=inner):
                return self.value(name, inner)
            case inspect.UnionType(types=types):
                return self.value(name, types[0])
            case inspect.LiteralType(values=values):
                return values[self.number % len(values)]
            case inspect.DecimalType():
                return "9" * 14 + ".9999"
            case inspect.IntType():
                return 2**53
            case inspect.BoolType():
                return True
            case inspect.StrType(max_length=limit):
                return self.text(limit or 100)
            case _:
                raise AssertionError(f"nothing for {name}: {kind}")

    def _named(self, name: str) -> Any:
        """What has a form of its own, and what its schema does not limit."""
        if name in _DAYS:
            return "2027-01-01"
        if name in _LONG:
            return self.letter * _LONG[name]
        named = {
            "rate": lambda: "0.12345678",
            "currency": lambda: "CNY",
            "category": lambda: f"{self.number:04}",
            "other": lambda: self.text(64),
            "family": lambda: [self._member()] * 22,
            "consents": lambda: {self.text(40, n): self._channels() for n in range(13)},
            "attributes": dict,
            "reverse": lambda: self.number % 2 == 0,
        }
        return named[name]() if name in named else None

    def _member(self) -> dict[str, str]:
        member = {"relation": self.text(200), "name": self.text(500)}
        return {**member, "birthday": "1980-01-01", "customer": self.text(64)}

    def _channels(self) -> dict[str, bool]:
        return {self.text(40, n): True for n in range(13)}

    def text(self, limit: int, n: int = 0) -> str:
        """As long as may be. The numbers come first, so that what is cut differs all the same."""
        return (f"{self.number}.{n}." + self.letter * limit)[:limit]


def raws(maker: Maker, event_type: str, count: int, things: int) -> Iterator[Raw]:
    """So many events, in turn about so many things, over more months than are kept."""
    for n in range(count):
        data = maker.data_of(event_type, things)
        at = NOW - (MONTHS - n // things % MONTHS) * 30 * DAY + n
        value = message(event_type, data, at=at, customer=WHO, event_id=f"{event_type}{n}")
        yield Raw("bank.core", 0, n, WHO.encode(), value)


@pytest.mark.parametrize("letter", [LETTERS[0], LETTERS[2]], ids=["ascii", "cjk"])
def test_all_that_is_kept_at_its_most_is_below_the_limit(letter: str) -> None:
    """Every type fills what it can fill, in all months, with the largest values there are."""
    record = Record(WHO)
    for event_type in sorted(EVENT_TYPES.keys() - ENDINGS):
        things = THINGS.get(event_type, 30)
        count = 2 if event_type == "customer.updated" else things * MONTHS
        for raw in raws(Maker(letter), event_type, count, things):
            entry = read(raw, SETTINGS)
            assert entry.input is not None, entry.problem and entry.problem.detail
            fold(record, entry.input, late=False)
    for n in range(MAX_ATTRIBUTES):
        name = f"{n}".ljust(64, "x")
        patch = CustomerData(attributes={name: "x" * MAX_BYTES})
        basics.customer_updated(record.edit_profile(), patch, moment(NOW))
    for n in range(MAX_SCORES):
        score = Score(points=2_000, at=NOW, raised=True, signals=[*range(20)])
        keep(record, f"{n}".ljust(40, "x"), score)
    for n in range(MAX_OCCASIONS):
        note_greeting(record.activity, f"{n}".ljust(64, "x"), "x" * 64, NOW)
    profile = record.edit_profile()
    kept = (profile.deposits, profile.accounts, profile.holdings, profile.loans, profile.cards)
    assert [len(things) for things in kept] == [70, 50, 40, 25, 20], "it is full"
    for holding in profile.holdings.values():
        holding.risk_level_age = holding.matures_on_age = NOW
    for loan in profile.loans.values():
        loan.rate_age = loan.due_on_age = NOW
    assert len(record.encode()) + OWED_BYTES < FOLD_BYTES


@settings(deadline=None, max_examples=10)
@given(
    st.sampled_from(LETTERS),
    st.lists(st.sampled_from(sorted(EVENT_TYPES)), min_size=1, max_size=4, unique=True),
    st.integers(1, 60),
    st.integers(1, 60),
)
def test_whatever_comes(letter: str, types: list[str], count: int, things: int) -> None:
    """With rules, too: what would not fit is a dead letter."""
    record = Record(WHO)
    for event_type in types:
        entries = [read(one, SETTINGS) for one in raws(Maker(letter), event_type, count, things)]
        outcome = apply_chunk(entries, lambda _: record, RULES)
        assert record.stored is not None
        assert len(record.stored) <= MAX_RECORD_BYTES
        assert all("exceed" in letter.detail for letter in outcome.dead_letters)
