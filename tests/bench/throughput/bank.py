"""The workloads `bank` and `library`: the simulated bank's event mix, customers of Zipf skew; with
200 rules made to be heavy and 100,000 customers, or with the rules that vipcare ships.

Customers are known when it begins: each has one of the records that three weeks of a smaller bank's
life made, so that what is measured does not depend on how far a contender comes.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, takewhile

from agents.bank.facts import facts, facts_of
from agents.bank.message import SOURCES
from agents.bank.plan import Plan
from agents.bank.population import Population
from agents.bank.simulation import messages
from agents.core import core_settings
from agents.lane.cache import RecordCache
from config.settings import Settings, StepSettings
from schemas.events.campaign import CAMPAIGNS
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.chunk import apply_chunk
from streams.context import Context
from streams.durations import DAY_MS
from streams.inputs import Raw
from streams.intake import read
from streams.partitioning import partition_of
from tests.bench.peers.care import since_the_first_chunk
from tests.bench.throughput.bank_rules import rules
from tests.bench.throughput.workload import CALENDAR, Message, Workload
from tests.shipped import shipped_rules

CUSTOMERS = 100_000
ZIPF = 1.1
CACHED_SHARE = 0.1
"""Of the records, that may be kept decoded."""
_FAMILIAR = 300
"""Customers of the smaller bank, whose records are dealt out."""
_HISTORY_DAYS = 21
_ORIGIN = 1_748_822_400_000
"""2025-06-02: the smaller bank's history ends, and the backlog begins."""
_EVENTS_A_DAY = 1.1
"""Of an average customer."""
_SEED = 7


def bank(events: int, customers: int = CUSTOMERS) -> Workload:
    return _workload("bank", rules(), events, customers)


def library(events: int, customers: int = CUSTOMERS // 5) -> Workload:
    """All that ship, those that wait for dates, answers and broadcasts, too; fewer customers, so
    that it is soon made."""
    return _workload("library", shipped_rules(), events, customers)


def _workload(name: str, chosen: Sequence[RuleDefinition], events: int, customers: int) -> Workload:
    records = _records(chosen)
    activity = [(rank + 1) ** -ZIPF for rank in range(customers)]
    population = Population(_SEED, customers, activity, today=_ORIGIN)
    kept = round(customers * CACHED_SHARE)
    plan = _plan(population.count, history_days=0)
    told = list(islice(messages(plan, known=population), events))
    return Workload(
        name=name,
        messages=[Message(one.topic, one.key, one.value) for one in told],
        topics=list(SOURCES),
        rules=chosen,
        customers=customers,
        records=records,
        customer_ids=population.ids(),
        cache_bytes=round(kept * _cached_bytes(records)),
        ends=told[-1].at,
        cached_records=kept,
        facts=told_facts(),
    )


def _plan(customers: int, history_days: int) -> Plan:
    return Plan(
        origin=_ORIGIN,
        seed=_SEED,
        customers=customers,
        history_days=history_days,
        rate=1.0,
        pace=DAY_MS / 1_000 / (customers * _EVENTS_A_DAY),
        duplicates=0.01,
        late=0.005,
        broken=0.0015,
        mis_keyed=0.0005,
    )


def _records(chosen: Sequence[RuleDefinition]) -> list[bytes]:
    """What the core makes of the smaller bank's history."""
    plan = _plan(_FAMILIAR, _HISTORY_DAYS)
    context = context_of(chosen, partitions=1)
    records: dict[str, Record] = {}
    history = takewhile(lambda one: one.at < plan.origin, messages(plan))
    told = (Message(one.topic, one.key, one.value) for one in history)
    for _ in step_all(told, records, context):
        pass
    return [stored for one in records.values() if (stored := one.stored) is not None]


def step_all(
    told: Iterator[Message], records: dict[str, Record], context: Context
) -> Iterator[tuple[Message, Mapping[str, int]]]:
    """Step messages one by one on records in memory; gives what each counted."""

    def load(customer: str) -> Record:
        return records.get(customer) or Record(customer)

    partitions = context.settings.partitions
    for offset, one in enumerate(told):
        raw = Raw(one.topic, partition_of(one.key, partitions), offset, one.key, one.value)
        outcome = apply_chunk([read(raw, context.settings)], load, context)
        records.update(outcome.records)
        yield one, outcome.counts


def told_facts() -> list[Message]:
    """Rates, by which payments abroad are reckoned; no campaigns: a worker tells every customer of
    them, which no peer does."""
    plan = _plan(_FAMILIAR, _HISTORY_DAYS)
    told = (one for one in facts(plan) if one.topic != CAMPAIGNS)
    return [Message(one.topic, one.key, one.value) for one in told]


def context_of(chosen: Sequence[RuleDefinition], partitions: int) -> Context:
    settings = Settings(step=StepSettings(calendar=CALENDAR))
    core = replace(core_settings(settings), partitions=partitions)
    compiled = core.compiled(chosen)
    return Context(
        now=time.time_ns() // 1_000_000,
        rules=compiled,
        settings=core,
        facts=facts_of(_plan(_FAMILIAR, _HISTORY_DAYS)),
        reach=since_the_first_chunk(compiled),
    )


def _cached_bytes(records: Sequence[bytes]) -> float:
    """What the worker's cache takes a record for, on average."""
    cache = RecordCache(2**62)
    for number, stored in enumerate(records):
        cache.put(0, Record(str(number), stored))
    return cache.bytes / len(records)
