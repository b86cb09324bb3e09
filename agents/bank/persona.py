"""A persona: who a customer is, worked out from the seed and the rank whenever it is asked for.

Nothing about a persona changes while the bank is played, so none has to be kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from agents.bank import names
from agents.bank.calendar import date_of
from agents.bank.companies import Company, company, count_of_companies
from agents.bank.home import Child, Home, home_of
from agents.bank.life import Turn, turn_of
from agents.bank.money import ABROAD, CURRENCY_OF
from agents.bank.names import Name
from agents.bank.organisation import count_of_rms, manager

_TIERS = ("diamond", "platinum", "gold")
_TIER_SHARES = (8, 35, 100)
"""Cumulative, in percent."""
_USUAL = {"diamond": 60_000, "platinum": 30_000, "gold": 15_000}
_LARGEST = 1.8
LARGEST_USUAL = {tier: round(usual * _LARGEST) for tier, usual in _USUAL.items()}
CARD_LIMIT = 5
"""Of the credit card, in usual transfers."""
_OCCUPATIONS = (
    "entrepreneur", "executive", "physician", "lawyer", "investor", "architect", "professor",
    "engineer", "artist",
)  # fmt: skip
_SEGMENT_OF = {"executive": "executive", "lawyer": "executive", "physician": "executive"}
_OWNERS = frozenset(("entrepreneur", "investor"))
_TAGS = ("golf", "tea", "art", "wine", "marathon", "philanthropy", "yachting", "photography")
_SPREAD = 7_919
"""A prime: neighbours in rank are not neighbours in number."""
_SIX_DIGITS = 900_000
_GROWN_UP = 22
"""Nobody has a child before so many years."""
_PARENT_AT_MOST = 44
_FAR_APART = 15
"""No couple's ages are, years."""


@dataclass(frozen=True, slots=True)
class Persona:
    """One customer, as far as it never changes."""

    id: str
    rank: int
    """Activity falls with the rank, from 0."""
    name: Name
    born: str
    """YYYY-MM-DD."""
    tier: str
    rm: str
    branch: str
    city: str
    occupation: str
    company: Company
    """That pays the salary, or that the customer owns."""
    spouse: str | None
    """The id of a spouse who is a customer too."""
    partner: str | None
    """The shown name of a husband or wife."""
    children: tuple[Child, ...]
    home: Home
    """Whose wife or husband this is, or would be."""
    woman: bool
    abroad: str
    """The foreign country that this customer has to do with."""
    usual: int
    """The size of a usual transfer, in base currency."""
    turn: Turn
    tags: tuple[str, ...]
    device: str
    funds: int = 0
    """So much at least is on the current account at the beginning, in base currency."""
    quiet: bool = False
    """Nothing happens but payments by card, unless a storyline says so."""
    asleep: bool = False
    """Of who is quiet: nor do payments by card."""

    @property
    def number(self) -> str:
        return self.id[1:]

    @property
    def accounts(self) -> tuple[str, str]:
        """The current account and the one in the foreign currency."""
        return f"A{self.number}-1", f"A{self.number}-2"

    @property
    def card(self) -> str:
        return f"K{self.number}-1"

    @property
    def foreign_currency(self) -> str:
        return CURRENCY_OF[self.abroad]

    @property
    def limit(self) -> int:
        """Of the credit card, in base currency."""
        return self.usual * CARD_LIMIT

    @property
    def owns_company(self) -> bool:
        return self.occupation in _OWNERS

    @property
    def segment(self) -> str:
        return "founder" if self.owns_company else _SEGMENT_OF.get(self.occupation, "family")

    @property
    def language(self) -> str:
        return "zh" if self.name.chinese else "en"


def customer_id(rank: int, count: int) -> str:
    """The id of the customer with a rank, of `count` customers."""
    if count <= _SIX_DIGITS:
        return f"C{100_000 + rank * _SPREAD % _SIX_DIGITS:06d}"
    return f"C{1_000_000 + rank:07d}"


def persona_of(seed: int, rank: int, count: int, today: int) -> Persona:
    """`today` is the day around which lives turn, a number, see calendar.py."""
    rng = Random(f"{seed}/persona/{rank}")  # noqa: S311  # a simulation, reproducible on purpose
    home = home_of(seed, rank, count)
    woman = rank % 2 == 1 if home.shared else rng.random() < 0.45
    born_in = home.parents_born + (rng.randint(0, 4) if woman else 0)
    year = date_of(today).year
    age = year - born_in
    tier = rng.choices(_TIERS, cum_weights=_TIER_SHARES)[0]
    managers = count_of_rms(count)
    rm = manager(seed, rank // 2 % managers, managers)
    ages = tuple(year - int(child.born[:4]) for child in home.children)
    return Persona(
        id=customer_id(rank, count),
        rank=rank,
        name=home.wife if woman else home.husband,
        born=f"{born_in}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        tier=tier,
        rm=rm.id,
        branch=rm.branch,
        city=rm.city,
        occupation="retired" if age >= 66 else rng.choice(_OCCUPATIONS),
        company=company(seed, rng.randrange(count_of_companies(count))),
        spouse=customer_id(rank ^ 1, count) if home.shared else None,
        partner=(home.husband if woman else home.wife).shown if home.married else None,
        children=home.children,
        home=home,
        woman=woman,
        abroad=rng.choice(ABROAD),
        usual=round(_USUAL[tier] * rng.uniform(0.6, _LARGEST)),
        turn=turn_of(rng, age, ages, today),
        tags=(rng.choice(_TAGS),) if rng.random() < 0.6 else (),
        device=f"dev-{rng.getrandbits(40):010x}",
    )


def no_couple(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two parts are too far apart in age to be played by husband and wife."""
    ages = [part["age"] for part in (one, other) if "age" in part]
    children = [part["child_age"] for part in (one, other) if "child_age" in part]
    had = [age - child for age in ages for child in children]
    had += [_GROWN_UP + abs(one - other) for one in children for other in children]
    return (
        any(not _GROWN_UP <= years <= _PARENT_AT_MOST for years in had)
        or max(ages, default=0) - min(ages, default=0) > _FAR_APART
    )


def made_to_fit(
    persona: Persona, needs: Mapping[str, Any], of_spouse: Mapping[str, Any], today: int
) -> Persona:
    """The persona, changed as far as a part needs it (`PersonaNeeds` in storyline.py).

    A part of the spouse's changes the family of both: its children, and how old the couple is.
    """
    asis = ("tier", "occupation", "abroad", "usual", "funds", "quiet", "asleep")
    changes = {name: needs[name] for name in asis if name in needs}
    if "tags" in needs:
        changes["tags"] = tuple(needs["tags"])
    if "turn" in needs:
        changes["turn"] = Turn(needs["turn"], today - 100)
    if needs.get("married"):
        home = persona.home
        changes["partner"] = (home.husband if persona.woman else home.wife).shown
    changes |= _family(persona, needs, of_spouse, today)
    if "birthday_in_days" in needs:
        birthday = date_of(today + needs["birthday_in_days"])
        month_and_day = f"{birthday.month:02d}-{min(birthday.day, 28):02d}"
        changes["born"] = f"{changes.get('born', persona.born)[:4]}-{month_and_day}"
    return replace(persona, **changes)


def _family(
    persona: Persona, needs: Mapping[str, Any], of_spouse: Mapping[str, Any], today: int
) -> dict[str, Any]:
    """Birthdays that fit: the children who are asked for, or those of so old a couple."""
    year, born = date_of(today).year, int(persona.born[:4])
    parts = (needs, of_spouse)
    ages = [part["age"] for part in parts if "age" in part]
    asked = dict.fromkeys(part["child_age"] for part in parts if "child_age" in part)
    children = tuple(_child(persona, age, today) for age in asked)
    if ages:
        born = year - ages[0]
        could_be = range(year - min(ages) + _GROWN_UP, year - max(ages) + _PARENT_AT_MOST + 1)
        children = children or tuple(
            one for one in persona.children if int(one.born[:4]) in could_be
        )
    elif children:
        born = min(max(born, year - min(asked) - _PARENT_AT_MOST), year - max(asked) - _GROWN_UP)
    else:
        return {}
    changes: dict[str, Any] = {"born": f"{born}{persona.born[4:]}", "children": children}
    if persona.occupation == "retired" and "occupation" not in needs:
        changes["occupation"] = "executive"
    return changes


def _child(persona: Persona, age: int, today: int) -> Child:
    """The same whichever of the parents is asked; one who turns so old in this year."""
    home = persona.rank // 2 if persona.spouse else persona.rank
    rng = Random(f"{home}/child/{age}")  # noqa: S311  # a simulation, reproducible on purpose
    family = persona.home.husband.family if persona.partner else persona.name.family
    name = names.person(rng, woman=rng.random() < 0.5, family=family)
    born = f"{date_of(today).year - age}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    if age == 0:
        born = date_of(today - rng.randint(100, 130)).isoformat()
    return Child(name.shown, born)
