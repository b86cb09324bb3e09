"""A card's limit and its bill have a currency each."""

from datetime import UTC, date
from decimal import Decimal
from itertools import permutations

from streams.inputs import Raw
from streams.portrait.assets import tables_of_assets
from streams.portrait.parts import Amount
from streams.summary import card_details
from tests.core.strategies import NOW, message
from tests.core.test_any_order import NO_RULES, WHO, record_of


def test_a_bill_in_another_currency_leaves_the_limit_in_its_own() -> None:
    limit = {"card": "K", "product": "Gold", "currency": "CNY", "limit": "50000"}
    bill = {"card": "K", "statement": "S", "currency": "USD", "amount_due": "12"}
    values = [
        message("card.issued", limit, at=NOW - 9, customer=WHO, event_id="1"),
        message(
            "statement.issued",
            bill | {"due_on": "2026-03-01"},
            at=NOW - 8,
            customer=WHO,
            event_id="2",
        ),
    ]
    for order in permutations(values):
        raws = [Raw("bank.card", 0, n, WHO.encode(), value) for n, value in enumerate(order)]
        record = record_of(raws, NO_RULES)
        (row,) = tables_of_assets(record, UTC, date(2026, 2, 1))[-1].rows
        assert row[2] == Amount(Decimal(50_000), "CNY")
        assert row[4] == Amount(Decimal(12), "USD")
        told = [
            (one.currency, one.limit, one.amount_due)
            for one in card_details("K", record.profile.cards["K"])
        ]
        assert told == [("CNY", Decimal(50_000), None), ("USD", None, Decimal(12))]
