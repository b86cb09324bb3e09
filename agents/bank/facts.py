"""What the simulated bank tells of itself before its first event: reference data, organisation, and
campaigns, ahead of their time."""

from collections.abc import Iterator, Mapping
from typing import Any

from agents.bank import catalogue, organisation
from agents.bank.calendar import day_number
from agents.bank.campaigns import campaigns
from agents.bank.message import Message, encode, iso
from agents.bank.plan import Plan
from schemas.events.reference import FACT_TYPES
from streams.facts import FactBook, Facts
from streams.inputs import Raw

_SOURCES = {
    "bank.reference": "/bank/reference",
    "bank.org": "/bank/org",
    "bank.campaign": "/bank/campaign",
}
_TYPE_OF = {fact.kind(): name for name, fact in FACT_TYPES.items()}


def facts(plan: Plan) -> Iterator[Message]:
    """Every fact, as it is for the whole plan."""
    told: Mapping[str, Iterator[dict[str, Any]]] = {
        "exchange_rate": catalogue.exchange_rates(),
        "interest_rate": catalogue.interest_rates(),
        "product": catalogue.products(),
        "branch": organisation.branches(),
        "team": organisation.teams(plan.customers),
        "rm": organisation.rms(plan.seed, plan.customers),
        "absence": organisation.absences(plan.seed, plan.customers, day_number(plan.origin)),
    }
    for kind, every in told.items():
        for data in every:
            yield _message(plan, kind, data, plan.start)
    for at, data in campaigns(plan.origin, plan.pace):
        yield _message(plan, "campaign", data, at)


def facts_of(plan: Plan) -> Facts:
    """The same as a worker holds them once it has read them."""
    book = FactBook()
    ends = dict.fromkeys(_SOURCES, 0)
    for one in facts(plan):
        problem = book.take(Raw(one.topic, 0, ends[one.topic], one.key, one.value))
        assert not problem, problem
        ends[one.topic] += 1
    return book.snapshot()


def _message(plan: Plan, kind: str, data: Mapping[str, Any], at: int) -> Message:
    event_type, subject = _TYPE_OF[kind], f"{kind}:{data[kind]}"
    topic = FACT_TYPES[event_type].topic
    event = {
        "specversion": "1.0",
        "id": f"{plan.run()}-{subject}",
        "source": _SOURCES[topic],
        "type": event_type,
        "subject": subject,
        "time": iso(at),
        "data": data,
    }
    return Message(topic, subject.encode(), encode(event), plan.start)
