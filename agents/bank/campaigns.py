"""What the simulated bank invites its customers to, as plain data with the fields of the facts on
`bank.campaign`."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from agents.bank.calendar import HOUR_MS, date_of, day_number
from streams.durations import DAY_MS


class _Campaign(NamedTuple):
    name: str
    category: str
    title_zh: str
    title_en: str
    told: int
    """How long after the bank goes live it is announced, milliseconds."""
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
        -2 * DAY_MS,
        16,
        2,
        {"audience": "golf", "place": "Sheshan", "seats": 48, "base_cost": "6800.00"},
    ),
    _Campaign(
        "education",
        "education",
        "海外教育规划沙龙",
        "A salon on planning an education abroad",
        -DAY_MS,
        10,
        1,
        {"place": "Lujiazui", "seats": 30, "base_cost": "600.00"},
    ),
    _Campaign(
        "private-equity",
        "fund launch",
        "成长二号私募股权基金发行",
        "Launch of Growth II, private equity",
        2 * HOUR_MS,
        7,
        30,
        {"base_cost": "0.00"},
    ),
)


def campaigns(origin: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """When each is announced (epoch milliseconds), some of them only once the bank is live since
    `origin`, and what it is."""
    for one in _CAMPAIGNS:
        at = origin + one.told
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
