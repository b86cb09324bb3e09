"""The bank's own people and places as plain data: branches, teams, relationship managers, absences.

The dicts have the fields of the facts on `bank.org` and `bank.reference`. Everything is worked out
from the seed and a number, so nothing is kept however many relationship managers there are.
"""

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from agents.bank import names
from agents.bank.calendar import date_of

CUSTOMERS_AN_RM = 40
MOST_RMS = 1_000
_BRANCHES = (
    ("BR01", "Shanghai", "陆家嘴私人银行中心", "Lujiazui private banking centre"),
    ("BR02", "Beijing", "国贸支行", "Guomao branch"),
    ("BR03", "Shenzhen", "福田支行", "Futian branch"),
    ("BR04", "Hangzhou", "武林支行", "Wulin branch"),
    ("BR05", "Guangzhou", "天河支行", "Tianhe branch"),
    ("BR06", "Suzhou", "金鸡湖支行", "Jinji Lake branch"),
    ("BR07", "Chengdu", "天府支行", "Tianfu branch"),
    ("BR08", "Nanjing", "新街口支行", "Xinjiekou branch"),
    ("BR09", "Shanghai", "静安支行", "Jing'an branch"),
    ("BR10", "Beijing", "金融街支行", "Financial Street branch"),
    ("BR11", "Shenzhen", "前海支行", "Qianhai branch"),
    ("BR12", "Shanghai", "虹桥支行", "Hongqiao branch"),
)
_SKILLS = ("wealth", "foreign exchange", "insurance", "family trust", "lending", "study abroad")
_REASONS = ("annual leave", "training", "sick leave")


class Manager(NamedTuple):
    """A relationship manager."""

    id: str
    name: str
    branch: str
    city: str
    team: str
    languages: tuple[str, ...]
    skills: tuple[str, ...]
    deputy: str | None


def count_of_rms(customers: int) -> int:
    return min(MOST_RMS, max(1, customers // CUSTOMERS_AN_RM))


def rm_id(number: int) -> str:
    """Of the relationship manager with a number, from 0."""
    return f"RM{number + 1:03d}"


@lru_cache(MOST_RMS)
def manager(seed: int, number: int, count: int) -> Manager:
    """One of `count` relationship managers; the deputy is the next one of the same branch."""
    rng = Random(f"{seed}/rm/{number}")  # noqa: S311  # a simulation, reproducible on purpose
    branch, city, _, _ = _BRANCHES[number % len(_BRANCHES)]
    beside = number + len(_BRANCHES)
    deputy = beside if beside < count else number % len(_BRANCHES)
    return Manager(
        id=rm_id(number),
        name=names.person(rng, woman=rng.random() < 0.6, chinese=True).shown,
        branch=branch,
        city=city,
        team=f"TM{branch[2:]}",
        languages=("zh", "en") if rng.random() < 0.5 else ("zh",),
        skills=tuple(sorted(rng.sample(_SKILLS, rng.randint(1, 3)))),
        deputy=rm_id(deputy) if deputy != number else None,
    )


def branches() -> Iterator[dict[str, Any]]:
    for branch, city, zh, en in _BRANCHES:
        yield {"branch": branch, "title": {"zh": zh, "en": en}, "city": city, "country": "CN"}


def teams(customers: int) -> Iterator[dict[str, Any]]:
    """A team for each branch that has a relationship manager; its first one leads it."""
    for number, (branch, _, zh, en) in enumerate(_BRANCHES[: count_of_rms(customers)]):
        title = {"zh": f"{zh}财富顾问团队", "en": f"Wealth advisers, {en}"}
        yield {
            "team": f"TM{branch[2:]}",
            "title": title,
            "branch": branch,
            "lead": rm_id(number),
        }


def rms(seed: int, customers: int) -> Iterator[dict[str, Any]]:
    count = count_of_rms(customers)
    for number in range(count):
        one = manager(seed, number, count)
        told = {
            "rm": one.id,
            "name": one.name,
            "team": one.team,
            "branch": one.branch,
            "languages": list(one.languages),
            "skills": list(one.skills),
        }
        yield told | ({"deputy": one.deputy} if one.deputy else {})


def absences(seed: int, customers: int, day: int) -> Iterator[dict[str, Any]]:
    """Who is away in the 60 days from a day (a number, see calendar.py) on: one in five, once."""
    count = count_of_rms(customers)
    for number in range(count):
        rng = Random(f"{seed}/absence/{number}")  # noqa: S311  # reproducible on purpose
        if rng.random() >= 0.2:
            continue
        first = day + rng.randint(0, 59)
        absence = {
            "absence": f"AB{number + 1:03d}",
            "rm": rm_id(number),
            "first_day": date_of(first).isoformat(),
            "last_day": date_of(first + rng.randint(0, 13)).isoformat(),
            "reason": rng.choice(_REASONS),
        }
        deputy = manager(seed, number, count).deputy
        yield absence | ({"deputy": deputy} if deputy else {})
