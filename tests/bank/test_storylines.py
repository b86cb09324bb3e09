"""Storylines: each is played to its end, and a wrong file is refused with its place."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agents.bank.casting import FIRST_CAST, cast, stars
from agents.bank.message import Message, iso
from agents.bank.persona import customer_id
from agents.bank.plan import Plan
from agents.bank.storyline import Storyline
from agents.bank.storyline_file import (
    SHIPPED,
    StorylineErrors,
    read_storylines,
    shipped_storylines,
)
from schemas.events import EVENT_TYPES
from tests.bank.test_simulation import PLAN, is_event, told
from tests.core.strategies import DAY

MINIMAL = """
storylines:
  - id: a-story
    title: {zh: 标题, en: A title}
    story: {zh: 故事, en: A story}
    steps:
      - {day: -3, event: logged.in}
      - {event: transfer.completed, with: {amount: 9..18 usual}}
"""

WRONG = [
    (
        "- {day: -3, event: logged.in}",
        "- {day: -3, event: logged.inn}",
        7,
        "did you mean logged.in",
    ),
    ("amount: 9..18 usual", "amout: 9..18 usual", 8, "did you mean amount"),
    ("amount: 9..18 usual", "amount: a lot", 8, "'a lot' is none"),
    ("amount: 9..18 usual", "direction: sideways", 8, "direction|sideways|enum"),
    (
        "event: transfer.completed, with: {amount: 9..18 usual}",
        "event: deposit.redeemed, same: other",
        8,
        "deposit.redeemed needs amount: say it under with.*an earlier step",
    ),
    ("amount: 9..18 usual", "purpose: '{rn}'", 8, "cannot be filled in: there are {rm}"),
    ("amount: 9..18 usual", "country: XX", 8, "'XX' is not known here"),
    ("logged.in}", "deposit.placed, with: {term: soon}}", 7, "'soon' is no number of days"),
    ("logged.in}", "deposit.placed, with: {amount: 50_000_000}}", 7, "persona.funds"),
    ("amount: 9..18 usual", "amount: 300..400 usual", 8, "at most .* can be on the accounts"),
    ("logged.in}", "card.authorised, with: {amount: 9_000_000}}", 7, "raise the limit before"),
    ("day: -3", "day: never", 7, "whole number"),
    ("day: -3", "day: 3", 3, "in the order in which they happen"),
    ("title: {zh: 标题, en: A title}", "titel: {zh: 标题, en: A title}", 4, "not a key here"),
    ("en: A story}", "}", 5, "missing"),
    ("    steps:", "    persona: {tier: silver}\n    steps:", 6, "diamond"),
    ("    steps:", "    persona: {turn: lottery}\n    steps:", 6, "baby"),
    ("storylines:", "storylines: [", 0, "not YAML"),
    ("storylines:", "stories:", 0, "storylines"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "said"), WRONG)
def test_a_mistake_is_told_with_file_and_line(
    tmp_path: Path, right: str, wrong: str, line: int, said: str
) -> None:
    file = tmp_path / "mine.yaml"
    assert right in MINIMAL
    file.write_text(MINIMAL.replace(right, wrong))
    with pytest.raises(StorylineErrors) as error:
        read_storylines(file)
    place = f"{file}:{line}:" if line else f"{file}:"
    lines = str(error.value).splitlines()
    assert any(one.startswith(place) and re.search(said, one) for one in lines), lines


def test_a_file_that_is_right_is_played(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(MINIMAL)
    (storyline,) = read_storylines(file)
    assert storyline.steps[1].data == {"amount": "9..18 usual"}
    assert str(SHIPPED).endswith("storylines.yaml")


def test_what_comes_in_can_go_out_again(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    sold = "transfer.completed, with: {direction: in, amount: 50_000_000}}"
    bought = "deposit.placed, with: {amount: 50_000_000}}"
    file.write_text(MINIMAL.replace("logged.in}", f"{sold}\n      - {{day: -2, event: {bought}"))
    assert len(read_storylines(file)[0].steps) == 3
    file.write_text(MINIMAL.replace("logged.in}", bought).replace(
        "    steps:", "    persona: {funds: 60_000_000}\n    steps:"))  # fmt: skip
    assert len(read_storylines(file)[0].steps) == 2


def test_every_scenario_has_a_storyline_and_five_have_a_portrait() -> None:
    stories = shipped_storylines()
    assert {one.scenario for one in stories} >= set(range(1, 15))
    assert sum(one.portrait for one in stories) == 5


@pytest.fixture(scope="module")
def by_customer() -> dict[str, list[Any]]:
    """Every customer's good events in the history and the first live minute, with their arrival."""
    said: dict[str, list[Any]] = defaultdict(list)
    ids: set[str] = set()
    for message in told(PLAN):
        if not is_event(message) or (event := json.loads(message.value))["id"] in ids:
            continue
        ids.add(event["id"])
        if event["time"] <= iso(message.at):  # or else it is a mishap, from the future
            said[message.key.decode()].append((message.at, event))
    return said


def test_every_storyline_is_played_to_its_end_in_the_first_minute(
    by_customer: dict[str, list[tuple[int, Any]]],
) -> None:
    first = [one for one in cast(PLAN) if 0 <= one.stage.head - PLAN.origin < 60_000]
    assert len(first) == FIRST_CAST * len(shipped_storylines())
    for premiere in first:
        said = by_customer[customer_id(premiere.rank, PLAN.customers)]
        assert _is_told(premiere.storyline, said), premiere.storyline.id
        live = [event for at, event in said if at >= premiere.stage.head]
        heads = [step.event for step in premiere.storyline.steps if step.day >= 0]
        assert _in_order(heads, [event["type"] for event in live]), premiere.storyline.id


def _is_told(storyline: Storyline, said: Sequence[tuple[int, Any]]) -> bool:
    """Whether all that the steps say is in a customer's events, in order."""
    place = 0
    events = [event for _, event in said]
    for step in storyline.steps:
        words = {name: value for name, value in step.data.items() if name not in _WORDS}
        for _ in range(int(step.times.partition("..")[0])):
            while place < len(events) and not _fits(step.event, words, events[place]):
                place += 1
            if place == len(events):
                return False
            place += 1
    return True


_WORDS = ("amount", "country", "term")


def _fits(event_type: str, words: dict[str, Any], event: Any) -> bool:
    told = {name: value for name, value in words.items() if "{" not in str(value)}
    return event["type"] == event_type and told.items() <= event["data"].items()


def _in_order(wanted: Sequence[str], said: Sequence[str]) -> bool:
    left = iter(said)
    return all(one in left for one in wanted)


def test_who_plays_is_made_to_fit(by_customer: dict[str, list[tuple[int, Any]]]) -> None:
    told = stars(PLAN)
    assert [one.portrait for one, _ in told] == [True] * 5
    assert told == stars(replace(PLAN, origin=PLAN.origin + 99_999_999)), "wherever history ends"
    for storyline, customer in told:
        _, opening = by_customer[customer][0]
        assert opening["type"] == "customer.updated"
        needs = storyline.persona
        assert opening["data"]["tier"] == needs.tier
        tags = {event["data"]["tag"] for _, event in by_customer[customer]
                if event["type"] == "tag.added"}  # fmt: skip
        assert tags >= set(needs.tags or ())
        if needs.child_age is not None:
            told_of = [one for _, one in by_customer[customer] if "family" in one["data"]][-1]
            children = [one for one in told_of["data"]["family"] if one["relation"] == "child"]
            born = date.fromisoformat(children[0]["birthday"])
            day = date.fromisoformat(told_of["time"][:10])
            assert 2026 - born.year == needs.child_age or not needs.child_age
            assert born < day, "nobody is told of before the birth"
        if needs.married:
            assert opening["data"]["family"][0]["relation"] == "spouse"


def test_a_couple_tells_of_one_family(by_customer: dict[str, list[tuple[int, Any]]]) -> None:
    families = {
        customer: said[0][1]["data"].get("family", []) for customer, said in by_customer.items()
    }
    couples, cast_children = 0, Counter[tuple[str, str]]()
    players = {customer_id(one.rank, PLAN.customers) for one in cast(PLAN)}
    for customer, family in families.items():
        children = {(one["name"], one["birthday"]) for one in family if one["relation"] == "child"}
        if spouse := next((one["customer"] for one in family if "customer" in one), None):
            couples += 1
            others = families[spouse]
            assert customer in {one.get("customer") for one in others}
            assert children == {
                (one["name"], one["birthday"]) for one in others if one["relation"] == "child"
            }
        elif customer in players:
            cast_children.update(children)
        born = int(by_customer[customer][0][1]["data"]["birthday"][:4])
        assert all(18 <= int(birthday[:4]) - born <= 50 for _, birthday in children), customer
    assert couples > 30
    assert max(cast_children.values()) == 1


def test_what_comes_before_the_head_lies_in_the_history(
    by_customer: dict[str, list[tuple[int, Any]]],
) -> None:
    nursery = next(one for one in cast(PLAN) if one.storyline.id == "dining-to-nursery"
                   and one.stage.head >= PLAN.origin)  # fmt: skip
    said = by_customer[customer_id(nursery.rank, PLAN.customers)]
    paid = [(at, e["data"]["category"]) for at, e in said if e["type"] == "card.authorised"]
    middle = PLAN.origin - 75 * 86_400_000
    before = [code for at, code in paid if at < middle]
    after = [code for at, code in paid if at >= middle]
    assert before.count("5641") / len(before) < 0.2 < after.count("5641") / len(after)
    assert before.count("5812") / len(before) > after.count("5812") / len(after)


def _played_live(story: str) -> Iterator[tuple[int, str]]:
    """When each one comes to a head live whom the part was given to, and who."""
    given: set[int] = set()
    for one in cast(PLAN):
        if one.rank not in given and one.storyline.id == story and one.stage.pace is not None:
            yield one.stage.head, customer_id(one.rank, PLAN.customers)
        given.add(one.rank)


def test_who_is_about_to_leave_is_paid_by_the_employer_and_then_no_more(
    by_customer: dict[str, list[tuple[int, Any]]],
) -> None:
    left = list(_played_live("about-to-leave"))
    assert len(left) >= FIRST_CAST
    for head, customer in left:
        said = by_customer[customer]
        employer = said[0][1]["data"]["employer"]
        paid = [(at, e["data"]) for at, e in said if e["data"].get("purpose") == "salary"]
        assert len(paid) == 2
        assert {data["counterparty_name"] for _, data in paid} == {employer}
        assert len({data["counterparty_bank"] for _, data in paid}) == 1
        assert max(at for at, _ in paid) < head - 50 * DAY
        ordinary = {e["type"] for _, e in said} - _OF_A_LEAVER
        assert not ordinary, "the storyline stops the ordinary life"
        holdings = [e["type"] for _, e in said if e["type"].startswith(("product.", "deposit."))]
        assert holdings == ["product.purchased", "product.redeemed"]
        assert not any(e["data"]["direction"] == "in" and e["data"]["purpose"] != "salary"
                       for _, e in said if e["type"] == "transfer.completed")  # fmt: skip
        logins = [at for at, e in said if e["type"] == "logged.in"]
        assert len(logins) == 4
        assert max(logins) < head - 40 * DAY


_OF_A_LEAVER = {
    "customer.updated", "account.opened", "card.issued", "balance.reported", "tag.added",
    "relation.added", "card.authorised", "card.settled", "card.reversed", "statement.issued",
    "transfer.completed", "logged.in", "product.purchased", "complaint.raised",
    "survey.answered", "product.redeemed",
}  # fmt: skip


def test_who_gives_up_three_times_does_not_come_back(
    by_customer: dict[str, list[tuple[int, Any]]],
) -> None:
    for head, customer in _played_live("gives-up-three-times"):
        visits = [(at, e["type"]) for at, e in by_customer[customer] if e["type"] in _VISITS]
        assert [kind for _, kind in visits] == [*_VISITS] * (3 if visits else 0)
        assert all(at >= head for at, _ in visits)


_VISITS = ("logged.in", "journey.started", "journey.abandoned")


def test_a_storyline_of_ones_own_is_played(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(MINIMAL)
    mine = read_storylines(file)
    plan = Plan(
        origin=PLAN.origin, seed=3, customers=30, history_days=5, rate=20.0, pace=1.0,
        duplicates=0.0, late=0.0, broken=0.0, storylines=mine,
    )  # fmt: skip
    said: list[Message] = told(plan)
    players = {customer_id(one.rank, 30).encode() for one in cast(plan)}
    assert {message.key for message in said} >= players
    assert EVENT_TYPES.keys() >= {json.loads(message.value)["type"] for message in said}
