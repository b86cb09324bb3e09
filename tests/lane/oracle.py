"""The oracle: the pure core run over the journal must have made what the topics hold."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from agents.core import core_settings
from agents.reading import RangeReader, read_partition
from agents.reconciliation.past_facts import PastFacts
from agents.reconciliation.past_rules import PastRules
from agents.topics import changelog
from config.settings import Settings
from schemas.effects import TOPIC_OF, encode_effect
from schemas.events import INPUT_TOPICS
from schemas.position import POSITION_KEY, REACH_KEY, Position, decode_position
from streams.context import Context, CoreSettings
from streams.replay import replay

Pair = tuple[bytes | None, bytes | None]
EFFECT_TOPICS = tuple(TOPIC_OF.values())


@dataclass
class Made:
    """What one partition's chunks made."""

    effects: dict[str, list[Pair]] = field(default_factory=lambda: defaultdict(list))
    dead_letters: list[tuple[Pair, list[tuple[str, bytes]]]] = field(default_factory=list)
    records: dict[str, bytes] = field(default_factory=dict)


def expected(settings: Settings, core: CoreSettings, past: PastRules, partition: int) -> Made:
    """What the oracle says."""
    made, reader = Made(), RangeReader(settings.kafka, partition)
    facts = PastFacts(settings.kafka)

    def context_of(position: Position) -> Context:
        rules = past.at(position.register)
        assert position.rules == rules.digest
        told = facts.at(position.facts)
        now, time = position.now, position.partition_time
        return Context(now, rules, core, time, told, register=position.register)

    outcomes = replay(
        journal(settings, partition),
        lambda topic, _, start, end: [found.raw() for found in reader.take(topic, start, end)],
        context_of,
        made.records,
    )
    for outcome in outcomes:
        for effect in outcome.effects:
            pair = effect.subject.encode(), encode_effect(effect)
            made.effects[TOPIC_OF[type(effect)]].append(pair)
        made.dead_letters += [
            ((letter.key, letter.value), letter.headers()) for letter in outcome.dead_letters
        ]
    return made


def actual(settings: Settings, partition: int) -> Made:
    """What stands in the topics."""
    made, kafka = Made(), settings.kafka
    for topic in EFFECT_TOPICS:
        found = [
            (message.key, message.value) for message in read_partition(kafka, topic, partition)
        ]
        if found:
            made.effects[topic] = found
    made.dead_letters = [
        ((message.key, message.value), message.headers)
        for message in read_partition(kafka, "vip.dead-letters", partition)
    ]
    for message in read_partition(kafka, changelog(settings.worker.app), partition):
        assert message.key is not None
        assert message.value is not None
        if message.key not in (POSITION_KEY, REACH_KEY):
            made.records[message.key.decode()] = message.value
    return made


def journal(settings: Settings, partition: int) -> list[Position]:
    found = read_partition(settings.kafka, "vip.journal", partition)
    return [decode_position(message.value or b"") for message in found]


def assert_reconciled(settings: Settings, produced: int) -> None:
    """Every message was taken once, and what was made of it is what the oracle makes of it."""
    taken, core = 0, core_settings(settings)
    past = PastRules(settings, core)
    for partition in range(settings.topics.partitions):
        should = expected(settings, core, past, partition)
        does = actual(settings, partition)
        assert does.effects == should.effects
        assert does.dead_letters == should.dead_letters
        assert does.records == should.records
        positions = journal(settings, partition)
        _assert_contiguous(positions)
        taken += sum(len(_taken(settings, partition, topic, positions)) for topic in INPUT_TOPICS)
    assert taken == produced


def _taken(
    settings: Settings, partition: int, topic: str, positions: list[Position]
) -> list[object]:
    end = positions[-1].ends()[topic] if positions else 0
    found = read_partition(settings.kafka, topic, partition)
    return [message for message in found if message.offset < end]


def _assert_contiguous(positions: list[Position]) -> None:
    """No offset is in two chunks, none between two is left out."""
    for before, after in pairwise(positions):
        assert after.number == before.number + 1
        assert {topic: taken.start for topic, taken in after.ranges.items()} == before.ends()
