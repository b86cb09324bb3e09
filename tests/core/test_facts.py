"""Facts: a book of them is what a plain loop makes of the same messages; snapshots never change."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.events.campaign import CAMPAIGNS
from streams.facts import NO_FACTS, FactBook
from streams.inputs import Raw
from tests.core.strategies import NOW, iso
from tests.core.test_broadcasts import campaign

RATES = ("USD", "GBP", "HKD")


def fact(event_type: str, name: str, **data: Any) -> bytes:
    kind = event_type.removesuffix(".set")
    event = {
        "specversion": "1.0",
        "id": f"{name}-{len(data)}",
        "source": "/bank/reference",
        "type": event_type,
        "subject": f"{kind}:{name}",
        "time": iso(1_700_000_000_000),
        "data": {kind: name, **data},
    }
    return json.dumps(event).encode()


def rate(currency: str, rate: str) -> tuple[bytes, bytes]:
    return f"exchange_rate:{currency}".encode(), fact("exchange_rate.set", currency, rate=rate)


def raws(pairs: Sequence[tuple[bytes | None, bytes | None]]) -> list[Raw]:
    return [Raw("bank.reference", 0, n, key, value) for n, (key, value) in enumerate(pairs)]


said = st.lists(
    st.tuples(st.sampled_from(RATES), st.one_of(st.none(), st.integers(1, 999)), st.booleans()),
    max_size=20,
)


@given(said)
def test_the_last_of_each_holds(steps: list[tuple[str, int | None, bool]]) -> None:
    book, twin = FactBook(), {}
    earlier = []
    for n, (currency, value, look) in enumerate(steps):
        key, told = rate(currency, f"{value}")
        problem = book.take(Raw("bank.reference", 0, n, key, None if value is None else told))
        assert not problem
        if value is None:
            twin.pop(currency, None)
        else:
            twin[currency] = Decimal(value)
        if look:
            facts = book.snapshot()
            assert facts.rates == twin
            assert facts.offsets == {"bank.reference": n + 1}
            earlier.append((facts, dict(twin)))
    for facts, then in earlier:
        assert facts.rates == then, "a snapshot changed under its chunk"


def test_a_snapshot_is_the_same_object_until_something_was_taken() -> None:
    book = FactBook()
    assert book.snapshot() is NO_FACTS
    book.take(*raws([rate("USD", "7.1")]))
    first = book.snapshot()
    assert book.snapshot() is first
    assert first.kinds["exchange_rate"]["USD"].rate == Decimal("7.1")


def test_snapshots_share_what_is_announced_until_that_changes() -> None:
    """Rates are told every day, and all snapshots of an archive are kept."""
    book = FactBook()
    book.take(Raw(CAMPAIGNS, 0, 0, b"campaign:tour", json.dumps(campaign("tour", NOW)).encode()))
    first = book.snapshot()
    book.take(*raws([rate("USD", "7.1")]))
    assert book.snapshot() is not first
    assert book.snapshot().announced is first.announced
    book.take(Raw(CAMPAIGNS, 0, 1, b"campaign:tour", None))
    assert not book.snapshot().announced
    assert [*first.announced] == ["campaign:tour"]


def test_what_cannot_be_read_leaves_the_last_good_one_in_force() -> None:
    book = FactBook()
    good = rate("USD", "7.1")
    key = good[0]
    bad: list[tuple[bytes | None, bytes | None]] = [
        (None, good[1]),
        (key, b"{"),
        (key, rate("USD", "0")[1]),
        (key, rate("GBP", "9")[1]),
        (key, good[1].replace(b"exchange_rate.set", b"weather.set")),
        (b"exchange_rate:GBP", good[1]),
        (b"team:T1", fact("team.set", "T1", title={"zh": "一部"})),
        (key, good[1].replace(b'"exchange_rate": "USD"', b'"exchange_rate": "EUR"')),
    ]
    messages = raws([good, *bad])
    assert book.take(messages[0]) == ""
    problems = [book.take(raw) for raw in messages[1:]]
    assert all(problems)
    assert not any("7.1" in problem for problem in problems)
    assert book.snapshot().rates == {"USD": Decimal("7.1")}
    assert "team" not in book.snapshot().kinds
    assert book.take(Raw("bank.org", 0, 0, key, None)) == "it belongs to bank.reference"
    assert book.snapshot().offsets == {"bank.reference": len(messages), "bank.org": 1}
    assert book.snapshot().rates == {"USD": Decimal("7.1")}
