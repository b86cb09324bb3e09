"""What the workloads of the bank are, counted on a sample of their events; what `bank` promises is
asserted."""

import copy
from collections.abc import Iterator, Sequence
from statistics import mean, median
from typing import NamedTuple

import msgspec

from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.context import Context
from streams.durations import parse_duration
from streams.inputs import Raw
from streams.intake import read
from streams.partitioning import partition_of
from tests.bench.throughput.bank import context_of, step_all
from tests.bench.throughput.workload import Message, Workload

_SAMPLE = 6_000
_pack = msgspec.msgpack.Encoder(decimal_format="string").encode


class _Event(NamedTuple):
    evaluated: int
    updated: int
    fired: int
    activity_bytes: int


class Facts(NamedTuple):
    workload: str
    rules: int
    customers: int
    cached_share: float
    evaluated: float
    """Rules an event, on average; at `bank` none has fewer than 20 while no cooldown holds one
    back."""
    updated: float
    """Aggregates an event, on average."""
    updated_median: float
    fired: float
    """The share of events that make at least one rule fire."""
    activity_bytes: float
    """Of the activity section that an event finds, the median."""
    record_bytes: float
    """Of all customers' records at the beginning, the mean."""
    hottest: float
    """The share of events that the most active customer has."""

    def check(self) -> None:
        """Raises AssertionError where `bank` is not what it says."""
        assert self.rules == 200, self
        assert self.customers == 100_000, self
        assert self.cached_share <= 0.1, self
        assert self.evaluated >= 20, self
        assert self.updated >= 8, self
        assert self.updated_median >= 8, self
        assert self.fired >= 0.01, self
        assert self.activity_bytes >= 1_024, self

    def __str__(self) -> str:
        return (
            f"{self.workload}: {self.rules} rules; an event evaluates {self.evaluated:.1f} and "
            f"updates {self.updated:.1f} aggregates (median {self.updated_median:.0f}); "
            f"{self.fired:.1%} fire; activity section {self.activity_bytes:,.0f} bytes (median of "
            f"what events find), record {self.record_bytes:,.0f} bytes (mean of all); "
            f"{self.customers:,} customers, the hottest has {self.hottest:.0%} of the events; "
            f"{self.cached_share:.0%} are cached"
        )


def facts(workload: Workload) -> Facts:
    """Of the first events of the backlog, on the records that contenders begin with."""
    context = context_of(workload.rules, partitions=1)
    records = {customer: Record(customer, stored) for customer, stored in workload.stored()}
    events = list(_events(workload.messages[:_SAMPLE], records, context, workload.rules))
    keys = [one.key for one in workload.messages]
    return Facts(
        workload=workload.name,
        rules=sum(rule.status == "live" for rule in workload.rules),
        customers=workload.customers,
        cached_share=workload.cached_records / workload.customers,
        evaluated=mean(one.evaluated for one in events),
        updated=mean(one.updated for one in events),
        updated_median=median(one.updated for one in events),
        fired=mean(one.fired > 0 for one in events),
        activity_bytes=median(one.activity_bytes for one in events),
        record_bytes=mean(map(len, workload.records)),
        hottest=keys.count(workload.customer_ids[0].encode()) / len(keys),
    )


def _events(
    told: Sequence[Message],
    records: dict[str, Record],
    context: Context,
    rules: Sequence[RuleDefinition],
) -> Iterator[_Event]:
    """Those that are applied; what is broken or comes twice counts for nothing."""
    for one in told:
        customer = one.key.decode()
        record = records.get(customer) or Record(customer)
        cooldowns = dict(record.activity.cooldowns)
        windows = _windows(record)
        ((_, counts),) = step_all(iter([one]), records, context)
        if not counts.get("applied"):
            continue
        after = _windows(records[customer])
        yield _Event(
            evaluated=_evaluated(one, rules, cooldowns, context),
            updated=sum(windows.get(key) != packed for key, packed in after.items()),
            fired=sum(count for name, count in counts.items() if name.startswith("fired:")),
            activity_bytes=len(_pack(records[customer].activity)),
        )


def _windows(record: Record) -> dict[str, bytes]:
    return {key: _pack(state) for key, state in copy.copy(record.activity.windows).items()}


def _evaluated(
    one: Message, rules: Sequence[RuleDefinition], cooldowns: dict[str, int], context: Context
) -> int:
    """Rules that listen to the event's type and are not in their cooldown."""
    partitions = context.settings.partitions
    raw = Raw(one.topic, partition_of(one.key, partitions), 0, one.key, one.value)
    event = read(raw, context.settings).input
    assert event is not None, "it was applied"
    return sum(
        rule.cooldown is None
        or rule.id not in cooldowns
        or event.at >= cooldowns[rule.id] + parse_duration(rule.cooldown)
        for rule in rules
        if event.type in rule.on
    )
