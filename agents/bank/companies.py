"""Companies: who pays salaries, and whose owners know each other."""

from functools import lru_cache
from random import Random
from typing import NamedTuple

_CUSTOMERS_A_COMPANY = 12
_PLACES = (
    "华东",
    "星河",
    "远洋",
    "瑞和",
    "金桥",
    "海纳",
    "中岳",
    "锦江",
    "云栖",
    "长风",
    "鼎盛",
    "天目",
)
_TRADES = (
    ("实业", "industries"), ("科技", "technology"), ("物流", "logistics"), ("医疗", "medical"),
    ("置业", "property"), ("新能源", "new energy"), ("生物", "biotech"), ("传媒", "media"),
)  # fmt: skip
_FOREIGN = (
    "Northwind Trading", "Helios GmbH", "Meridian Capital", "Aster Pharma", "Kestrel Partners",
)  # fmt: skip
_PAYDAYS = (5, 8, 10, 15, 20, 25)


class Company(NamedTuple):
    number: int
    name: str
    trade: str
    payday: int
    """The day of the month."""


def count_of_companies(customers: int) -> int:
    return max(1, customers // _CUSTOMERS_A_COMPANY)


@lru_cache(2_048)
def company(seed: int, number: int) -> Company:
    rng = Random(f"{seed}/company/{number}")  # noqa: S311  # reproducible on purpose
    trade, english = rng.choice(_TRADES)
    name = rng.choice(_PLACES) + rng.choice("安博诚达恒嘉") + trade
    if rng.random() < 0.2:
        name = rng.choice(_FOREIGN)
    return Company(number, name, english, rng.choice(_PAYDAYS))
