"""What the portrait tells month by month."""

from decimal import Decimal

from agents.bank.merchants import CATEGORIES
from schemas.activity import Month, Sum
from schemas.record import Record
from streams.portrait.merchant_categories import category_name
from streams.portrait.parts import Amount
from tests.portrait.story import CUSTOMER
from tests.portrait.test_portrait import rows

NOVEMBER = 2026 * 12 + 10


def test_what_cards_paid_for_is_told_by_name_and_month_the_current_one_too() -> None:
    held = Record(CUSTOMER)
    for month, spent in ((NOVEMBER, {"5641": 900, "0000": 1}), (NOVEMBER - 1, {"5812": 300})):
        sums = {code: Sum(1, Decimal(total)) for code, total in spent.items()}
        gone = {"7922": Sum(0, Decimal(0))}
        channels = {"card online": Sum(1, Decimal(sum(spent.values())))}
        held.months.put(month, Month(categories=sums | gone, channels=channels))
    told = rows(held, "card_payments_by_category")
    assert [(row["category"], row["code"]) for row in told] == [
        ("baby and children's wear", "5641"),
        ("restaurants", "5812"),
        ("0000", "0000"),
    ]
    assert told[0]["by_month"] == {"2026-11": Amount(Decimal(900)), "2026-10": Amount(Decimal(0))}
    (channel,) = rows(held, "turnover_by_channel")
    assert (channel["channel"], channel["total"]) == ("card online", Amount(Decimal(1201)))


def test_every_category_of_the_simulated_bank_has_a_name() -> None:
    assert not [one.code for one in CATEGORIES if category_name(one.code) == one.code]
