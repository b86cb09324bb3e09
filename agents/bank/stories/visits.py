"""The app and the web: logins, pages, journeys, questions."""

from collections.abc import Iterator
from random import Random
from typing import Any

from agents.bank.money import amounts
from agents.bank.population import Customer
from agents.bank.stories.story import MINUTE_MS, Likely, Repertoire, Step, around, minutes
from streams.durations import DAY_MS

TOPICS = ("funds", "deposits", "insurance", "foreign exchange", "cards", "loans", "lifestyle")
_JOURNEYS = ("open account", "buy fund", "exchange money", "place deposit")
STUDY_ABROAD = "study-abroad"
STUDY_PAGES = (
    "Study in the UK", "Tuition payment abroad", "Proof of funds", "Student credit card",
    "留学金融服务", "Foreign currency for students",
)  # fmt: skip
_VISIT = 10 * MINUTE_MS
_STUDY_PAUSE = 4 * DAY_MS


def page(name: str, topic: str, seconds: int) -> dict[str, Any]:
    return {"page": name, "page_topic": topic, "seconds": seconds}


def visit_app(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """A login and some pages, or one more page of a visit; rarely, it is about studying abroad."""
    pages, pause = 1, 0
    if at >= customer.visits_until:
        customer.visits_until = at + _VISIT
        channel = "app" if rng.random() < 0.8 else "web"
        yield Step(0, "logged.in", {"channel": channel, "device": customer.who.device})
        pages, pause = rng.choice((1, 1, 2, 3)), 1
    for _ in range(pages):
        topic = rng.choice(TOPICS)
        name = f"{topic}/{rng.randint(1, 20)}"
        if rng.random() < 0.02 and at > customer.browsed_abroad + _STUDY_PAUSE:
            customer.browsed_abroad = at
            topic, name = STUDY_ABROAD, rng.choice(STUDY_PAGES)
        yield Step(
            pause * minutes(rng, 0.1, 3), "page.viewed", page(name, topic, rng.randint(3, 240))
        )


def take_journey(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    journey = {"journey": rng.choice(_JOURNEYS), "attempt": customer.next("J")}
    yield Step(0, "journey.started", journey)
    wanted = journey | {"amount": amounts(around(rng, customer.who.usual))["amount"]}
    if rng.random() < 0.6:
        yield Step(minutes(rng, 2, 15), "journey.completed", wanted)
    else:
        yield Step(minutes(rng, 2, 40), "journey.abandoned", wanted | {"step": "confirm"})


def ask(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = customer, at
    asked = {
        "about": rng.choice(TOPICS),
        "text": rng.choice(("这个产品的风险等级是多少？", "How do I raise my limit?")),
    }
    yield Step(0, "question.asked", asked)


VISITS: Repertoire = (
    Likely(visit_app, 24.0, 20.0, 14.0),
    Likely(take_journey, 1.6, 0.8, 0.5),
    Likely(ask, 0.8, 0.5, 0.5),
)
