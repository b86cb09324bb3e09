"""The app, the web, the branch, the phone, the CRM: where customers and the bank meet."""

from collections.abc import Iterator
from random import Random
from typing import Any

from agents.bank.money import amounts
from agents.bank.population import Customer
from agents.bank.stories.story import Repertoire, Step, around, days, minutes
from streams.durations import DAY_MS

_TOPICS = ("funds", "deposits", "insurance", "foreign exchange", "cards", "loans", "lifestyle")
_JOURNEYS = ("open account", "buy fund", "exchange money", "place deposit")
STUDY_ABROAD = "study-abroad"
STUDY_PAGES = (
    "Study in the UK", "Tuition payment abroad", "Proof of funds", "Student credit card",
    "留学金融服务", "Foreign currency for students",
)  # fmt: skip
_STUDY_PAUSE = 4 * DAY_MS


def page(name: str, topic: str, seconds: int) -> dict[str, Any]:
    return {"page": name, "page_topic": topic, "seconds": seconds}


def visit_app(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """A login and some pages; rarely, one of them is about studying abroad."""
    channel = "app" if rng.random() < 0.8 else "web"
    yield Step(0, "logged.in", {"channel": channel, "device": customer.device})
    for _ in range(rng.choice((1, 1, 2, 3))):
        topic = rng.choice(_TOPICS)
        name = f"{topic}/{rng.randint(1, 20)}"
        if rng.random() < 0.02 and at > customer.browsed_abroad + _STUDY_PAUSE:
            customer.browsed_abroad = at
            topic, name = STUDY_ABROAD, rng.choice(STUDY_PAGES)
        yield Step(minutes(rng, 0.1, 3), "page.viewed", page(name, topic, rng.randint(3, 240)))


def take_journey(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    journey = {"journey": rng.choice(_JOURNEYS), "attempt": customer.next("J")}
    yield Step(0, "journey.started", journey)
    wanted = journey | {"amount": amounts(around(rng, customer.usual))["amount"]}
    if rng.random() < 0.6:
        yield Step(minutes(rng, 2, 15), "journey.completed", wanted)
    else:
        yield Step(minutes(rng, 2, 40), "journey.abandoned", wanted | {"step": "confirm"})


def ask(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = customer, at
    about = rng.choice(_TOPICS)
    asked = {
        "about": about,
        "text": rng.choice(("这个产品的风险等级是多少？", "How do I raise my limit?")),
    }
    yield Step(0, "question.asked", asked)


def complain(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    case = {
        "case": customer.next("E"),
        "about": rng.choice(("app", "fees", "waiting time", "card declined")),
        "channel": rng.choice(("app", "phone", "branch")),
        "severity": rng.choice(("low", "normal", "high")),
        "text": "等待时间太长，希望尽快处理。",
    }
    yield Step(0, "complaint.raised", case)
    yield Step(minutes(rng, 30, 600), "rm.contacted", _contact(rng, customer, "complaint"))
    survey = {"survey": customer.next("Q"), "score": rng.randint(2, 10), "text": "谢谢"}
    yield Step(days(rng, 1, 4), "survey.answered", survey)


def suggest(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    case = {
        "case": customer.next("E"),
        "about": rng.choice(("app", "benefits", "opening hours")),
        "channel": "app",
        "text": "More lounges abroad, please.",
    }
    yield Step(0, "suggestion.raised", case)


def call(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    called = {
        "call": customer.next("V"),
        "about": rng.choice(_TOPICS),
        "seconds": rng.randint(20, 1_800),
        "handled_by": f"AG{rng.randint(1, 60):02d}",
    }
    yield Step(0, "call.received", called)


def visit_branch(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    yield Step(0, "branch.visited", {"branch": customer.branch, "about": rng.choice(_TOPICS)})


def write(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    channel = rng.choice(("wechat", "wechat", "mail", "sms"))
    written = {"channel": channel, "about": rng.choice(_TOPICS), "text": "请回电，谢谢。"}
    yield Step(0, "message.received", written)
    yield Step(minutes(rng, 5, 300), "rm.contacted", _contact(rng, customer, "reply"))


def _contact(rng: Random, customer: Customer, about: str) -> dict[str, Any]:
    return {"rm": customer.rm, "channel": rng.choice(("phone", "wechat")), "about": about}


def be_looked_after(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """A task of the CRM's own, from its acceptance to its outcome."""
    _ = at
    task = {"task": customer.next("W"), "by": customer.rm}
    if rng.random() < 0.15:
        declined = task | {"reason": "customer asked not to be called"}
        yield Step(0, "task.declined", declined)
        return
    yield Step(0, "task.accepted", task)
    yield Step(minutes(rng, 10, 900), "task.started", task)
    reached = rng.random() < 0.8
    made = task | {"channel": "phone", "reached": reached, "note": "谈了产品方案"}
    yield Step(minutes(rng, 10, 120), "contact.made", made)
    yield Step(minutes(rng, 1, 30), "task.completed", task)
    won = {"outcome": "won", "product": "WM-180", **amounts(around(rng, customer.usual * 5))}
    outcome: dict[str, Any] = won if rng.random() < 0.4 else {"outcome": "no_interest"}
    yield Step(days(rng, 0.1, 3), "outcome.recorded", task | outcome)


VISITS: Repertoire = (
    (26, visit_app),
    (2, take_journey),
    (1, ask),
    (0.6, complain),
    (0.3, suggest),
    (1.2, call),
    (1.2, visit_branch),
    (1.5, write),
    (1.2, be_looked_after),
)
