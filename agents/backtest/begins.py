"""From when on an archive in Kafka has a topic: what is too old is removed, of each by itself."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import NamedTuple

from agents.backtest.missing import Journalled
from agents.clock import BankClock
from agents.reading import held, partitions_of, read_partition
from config.settings import Settings
from schemas.events import INPUT_TOPICS, RULE_TYPES
from streams.rules.aggregates import look_back
from streams.rules.checked import CheckedRule


class Begin(NamedTuple):
    """Of a topic that lost what came before; bank time, epoch milliseconds."""

    some: int
    """From here on every partition that has anything has everything."""
    whole: int
    """From here on also those that have nothing any more; then it is now."""


Begins = Mapping[str, Begin]
"""By topic; what is not in it lost nothing."""


def begins(settings: Settings, now: int, journals: Iterable[Journalled] = ()) -> Begins:
    """Of the topics, or of what journals say was taken of them. To be asked when an archive was
    read, as Kafka goes on removing. `now` is the bank's time. Raises ReadingError."""
    kafka, clock = settings.kafka, BankClock.from_settings(settings.clock)
    starts = {
        (topic, one.partition): took.start for one in journals for topic, took in one.taken.items()
    }
    places = [(one, part) for one in INPUT_TOPICS for part in range(partitions_of(kafka, one))]
    found: dict[str, Begin] = {}
    for (topic, partition), there in held(kafka, places).items():
        first = max(there.start, starts.get((topic, partition), 0))
        if not first:
            continue
        oldest = next(read_partition(kafka, topic, partition, first), None)
        some, whole = found.get(topic, Begin(0, 0))
        if oldest is not None:
            some = max(some, clock.at(oldest.timestamp))
        found[topic] = Begin(some, max(some, whole) if oldest is not None else now)
    return {topic: Begin(one.some or one.whole, one.whole) for topic, one in found.items()}


def some_from(types: Iterable[str], since: int, begins: Begins) -> int:
    """From when on an archive that begins at `since` can be asked how often events of these types
    come."""
    return max([since, *(begins[one].some for one in _topics(types) if one in begins)])


def whole_from(rule: CheckedRule, since: int, wholes: Mapping[str, int], zone: tzinfo) -> int:
    """From when on a rule finds in such an archive all that its windows are of. `wholes`: topic →
    from when on nothing of it is lost; 0 is ever since."""
    times = [since]
    for aggregate in rule.aggregates():
        topics = _topics((*aggregate.types, *aggregate.without))
        if whole := max([since, *(wholes[one] for one in topics if one in wholes)]):
            times.append(look_back(aggregate).warm_from(whole, zone))
    return max(times)


def _topics(types: Iterable[str]) -> set[str]:
    return {RULE_TYPES[one].topic for one in types}
