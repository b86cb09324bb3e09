"""The phone, the branch, mail and messages; and the CRM: where customers and the bank meet."""

from collections.abc import Iterator
from random import Random
from typing import Any

from agents.bank.calendar import office_opens
from agents.bank.money import amounts
from agents.bank.population import Customer
from agents.bank.stories.story import (
    Likely,
    Repertoire,
    Step,
    around,
    at_work,
    days,
    minutes,
)
from agents.bank.stories.visits import TOPICS


def complain(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    case = {
        "case": customer.next("E"),
        "about": rng.choice(("app", "fees", "waiting time", "card declined")),
        "channel": rng.choice(("app", "phone", "branch" if office_opens(at) == at else "app")),
        "severity": rng.choice(("low", "normal", "high")),
        "text": "等待时间太长，希望尽快处理。",
    }
    yield Step(0, "complaint.raised", case)
    answered = at_work(rng, at, minutes(rng, 30, 600))
    yield Step(answered, "rm.contacted", contact(rng, customer, "complaint"))
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
        "about": rng.choice(TOPICS),
        "seconds": rng.randint(20, 1_800),
        "handled_by": f"AG{rng.randint(1, 60):02d}",
    }
    yield Step(0, "call.received", called)


def visit_branch(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    _ = at
    visited = {"branch": customer.who.branch, "about": rng.choice(TOPICS)}
    yield Step(0, "branch.visited", visited)


def write(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    channel = rng.choice(("wechat", "wechat", "mail", "sms"))
    written = {"channel": channel, "about": rng.choice(TOPICS), "text": "请回电，谢谢。"}
    yield Step(0, "message.received", written)
    answered = at_work(rng, at, minutes(rng, 5, 300))
    yield Step(answered, "rm.contacted", contact(rng, customer, "reply"))


def contact(rng: Random, customer: Customer, about: str) -> dict[str, Any]:
    channel = rng.choice(("phone", "wechat"))
    return {"rm": customer.who.rm, "channel": channel, "about": about}


def be_looked_after(rng: Random, customer: Customer, at: int) -> Iterator[Step]:
    """A task of the CRM's own, from its acceptance to its outcome."""
    task = {"task": customer.next("W"), "by": customer.who.rm}
    if rng.random() < 0.15:
        declined = task | {"reason": "customer asked not to be called"}
        yield Step(0, "task.declined", declined)
        return
    made = task | {"channel": "phone", "reached": rng.random() < 0.8, "note": "谈了产品方案"}
    won = {"outcome": "won", "product": "WM-180", **amounts(around(rng, customer.who.usual * 5))}
    outcome: dict[str, Any] = won if rng.random() < 0.4 else {"outcome": "no_interest"}
    for wanted, event_type, data in (
        (0, "task.accepted", task),
        (minutes(rng, 10, 900), "task.started", task),
        (minutes(rng, 10, 120), "contact.made", made),
        (minutes(rng, 1, 30), "task.completed", task),
        (days(rng, 0.1, 3), "outcome.recorded", task | outcome),
    ):
        wait = at_work(rng, at, wanted) if wanted else 0
        at += wait
        yield Step(wait, event_type, data)


SERVICE: Repertoire = (
    Likely(complain, 0.4, 0.2, 0.3),
    Likely(suggest, 0.2, 0.1, 0.1),
    Likely(call, 1.0, 0.4, 0.5),
    Likely(visit_branch, 1.8, 0.0, 0.0, office=True),
    Likely(write, 1.1, 0.4, 0.5),
    Likely(be_looked_after, 1.6, 0.0, 0.1, office=True),
)
