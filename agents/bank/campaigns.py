"""What the simulated bank invites its customers to, as plain data with the fields of the facts on
`bank.campaign`."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from agents.bank.calendar import date_of, day_number


class _Campaign(NamedTuple):
    name: str
    category: str
    title_zh: str
    title_en: str
    told: int
    """So many real seconds after the bank goes live: who is no customer by then is not told."""
    starts: int
    """So many days later."""
    days: int
    more: dict[str, Any]


_CAMPAIGNS = (
    _Campaign(
        "golf",
        "golf",
        "行长杯高尔夫邀请赛",
        "President's cup, an invitational golf tournament",
        40,
        16,
        2,
        {"audience": "golf", "place": "Sheshan", "seats": 48, "base_cost": "6800.00"},
    ),
    _Campaign(
        "education",
        "education",
        "海外教育规划沙龙",
        "A salon on planning an education abroad",
        50,
        10,
        1,
        {"place": "Lujiazui", "seats": 30, "base_cost": "600.00"},
    ),
    _Campaign(
        "private-equity",
        "fund launch",
        "成长二号私募股权基金发行",
        "Launch of Growth II, private equity",
        60,
        7,
        30,
        {"base_cost": "0.00"},
    ),
)


def campaigns(origin: int, pace: float) -> Iterator[tuple[int, dict[str, Any]]]:
    """When each is announced (epoch milliseconds), and what it is. The bank goes live at `origin`,
    and from then on so many of its seconds pass in a real one as `pace` says."""
    for one in _CAMPAIGNS:
        at = origin + round(one.told * 1_000 * pace)
        first = day_number(at) + one.starts
        data = {
            "campaign": f"{one.name}-{date_of(first)}",
            "category": one.category,
            "title_zh": one.title_zh,
            "title_en": one.title_en,
            "starts_on": date_of(first).isoformat(),
            "ends_on": date_of(first + one.days - 1).isoformat(),
        }
        yield at, data | one.more
