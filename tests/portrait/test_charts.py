"""Charts say in text, too, what they show."""

from decimal import Decimal

import pytest

from agents.portrait.charts import composition, course
from agents.portrait.sparks import sparks
from streams.portrait.parts import Amount, Fact


def held(**sums: int) -> list[Fact]:
    return [Fact(name, Amount(Decimal(total))) for name, total in sums.items()]


def test_the_bar_tells_what_assets_consist_of() -> None:
    shown = composition(held(total=100, accounts=25, funds=75, loans=500))
    assert shown is not None
    assert shown.plain == "█" * 10 + "░" * 30 + "  █ accounts 25%  ░ funds 75%"


def test_a_small_part_is_seen_and_what_is_owed_is_none() -> None:
    shown = composition(held(accounts=-10, deposits=1, funds=9_999))
    assert shown is not None
    assert shown.plain.startswith("▓░")
    assert "accounts" not in shown.plain


@pytest.mark.parametrize("sums", [{}, {"accounts": 5}, {"accounts": 5, "funds": 0}])
def test_of_one_thing_there_is_no_bar(sums: dict[str, int]) -> None:
    assert composition(held(**sums)) is None


@pytest.mark.parametrize(
    ("sums", "shown"),
    [
        ((400, 800), "▄█ 400 in 2026-01 → 800 CNY in 2026-02, +100.0%"),
        ((0, 800), " █ 0 in 2026-01 → 800 CNY in 2026-02"),
        ((-5, -9), "   -5 in 2026-01 → -9 CNY in 2026-02"),
        ((700,), "█ 700 CNY in 2026-01"),
    ],
)
def test_the_course_of_a_sum(sums: tuple[int, ...], shown: str) -> None:
    months = {f"2026-{n:02}": Amount(Decimal(total)) for n, total in enumerate(sums, start=1)}
    assert course(months, "CNY").plain == shown


def test_sparks_rise_with_their_values() -> None:
    shown = sparks([Decimal(n) for n in range(9)], Decimal(8))
    assert shown == " " + "".join(sorted(shown[1:]))
    assert shown[-1] == "█"
