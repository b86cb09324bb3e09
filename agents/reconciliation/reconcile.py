"""Do the topics, ClickHouse and the pure core agree, id by id and field by field?

The reference is what a reader of the topics sees from their beginning (`read_committed`). The
other two are the core run over the journal, and ClickHouse's typed columns, read through its
views and rendered as messages again. Nothing more and nothing less may be in any of the three.
Take it when the worker and the sink have caught up; anything still on its way is a difference.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from agents.clock import BankClock
from agents.core import core_settings, rule_set
from agents.reading import Found, ReadingError, read_topic
from agents.reconciliation.compare import Book, Codec, Comparison, Differences
from agents.reconciliation.latency import Latency
from agents.reconciliation.oracle import Oracle, Tally
from config.settings import Settings
from schemas.dead_letters import DeadLetter, parse_dead_letter
from schemas.effects import TOPIC_OF, Effect, Profile, decode_effect, encode_effect
from sinks.clickhouse.address import FAILURES, explain
from sinks.clickhouse.render import StoredLetter
from streams.partitioning import partition_of


class Buried(Struct, frozen=True):
    """A dead letter without its content: what the three readers must agree on."""

    reason: str
    detail: str
    length: int
    sha256: str
    event_type: str
    event_source: str
    event_id: str

    @classmethod
    def of(cls, letter: DeadLetter | StoredLetter) -> "Buried":
        return cls(
            str(letter.reason),
            letter.detail,
            letter.length,
            letter.sha256,
            letter.event_type,
            letter.event_source,
            letter.event_id,
        )


class Books:
    """What the topics hold."""

    def __init__(self, differences: Differences) -> None:
        self.differences = differences
        effects = Codec[Effect](encode_effect, decode_effect)
        buried = Codec[Buried](msgspec.json.encode, msgspec.json.Decoder(Buried).decode)
        self.effects = Book("effect", effects, differences)
        self.dead = Book("dead letter", buried, differences)
        self.counts: Counter[str] = Counter()
        """Topic → how many effects or dead letters."""
        self.reasons: Counter[str] = Counter()
        self._fired: set[tuple[str, str, str]] = set()

    def add_effect(self, effect: Effect) -> None:
        self.counts[TOPIC_OF[type(effect)]] += 1
        self.effects.add(effect.id, effect)
        if not isinstance(effect, Profile):
            cause = effect.data.cause
            self._fired.add((effect.data.rule.id, cause.source, cause.id))

    def firings(self) -> Counter[str]:
        """Rule → how often it fired: a firing may raise a task and an alert."""
        return Counter(rule for rule, _, _ in self._fired)

    def add_dead(self, letter: DeadLetter) -> None:
        self.counts["vip.dead-letters"] += 1
        self.reasons[letter.reason.value] += 1
        self.dead.add(place_of(letter), Buried.of(letter))


@dataclass(frozen=True, slots=True)
class Reconciliation:
    differences: Differences
    books: Books
    tally: Tally
    latency: Latency
    live_rules: list[str]


def place_of(letter: DeadLetter | StoredLetter) -> str:
    """Where the original stands: the name of a dead letter."""
    return f"{letter.topic}[{letter.partition}]@{letter.offset}"


def reconcile(
    settings: Settings, stored_effects: Iterable[Effect], stored_letters: Iterable[StoredLetter]
) -> Reconciliation:
    """Compare the three. `stored_…` is what ClickHouse's rows say, read as the comparison goes.

    What cannot be read is a difference too. Raises what the rules' loader raises.
    """
    rules = rule_set(settings)
    differences, tally = Differences(), Tally()
    latency = Latency(BankClock.from_settings(settings.clock))
    books = Books(differences)
    oracle = Oracle(
        settings,
        core_settings(settings),
        rules,
        differences,
        tally,
        lambda found: latency.event((found.topic, found.partition, found.offset), found.timestamp),
    )
    try:
        read_books(settings, books, latency)
        compare_oracle(oracle, books, settings.topics.partitions)
        compare_stored(books, stored_effects, stored_letters)
    except ReadingError as error:
        differences.add(str(error))
    except FAILURES as error:
        differences.add(f"ClickHouse cannot be read: {explain(error)}")
    live = [rule.id for rule in rules.definitions if rule.status == "live"]
    return Reconciliation(differences, books, tally, latency, live)


def read_books(settings: Settings, books: Books, latency: Latency) -> None:
    """Fill in everything that the effect topics and the dead letters' topic hold."""
    differences = books.differences
    for topic in TOPIC_OF.values():
        for found in read_topic(settings.kafka, topic):
            try:
                effect: Effect = decode_effect(found.value or b"")
            except msgspec.MsgspecError:
                differences.add(f"{_place(found)} is no effect")
                continue
            _check_place(found, effect, settings.topics.partitions, differences)
            books.add_effect(effect)
            latency.effect(effect, found.timestamp)
    for found in read_topic(settings.kafka, "vip.dead-letters"):
        try:
            books.add_dead(parse_dead_letter(found.headers, found.key, found.value))
        except ValueError as error:
            differences.add(f"{_place(found)}: {error}")


def compare_oracle(oracle: Oracle, books: Books, partitions: int) -> None:
    """The core over the journal against the topics."""
    effects = Comparison(books.effects, "the oracle")
    dead = Comparison(books.dead, "the oracle")
    for partition in range(partitions):
        for outcome in oracle.run(partition):
            for effect in outcome.effects:
                effects.see(effect.id, effect)
            for letter in outcome.dead_letters:
                dead.see(place_of(letter), Buried.of(letter))
    effects.finish()
    dead.finish()


def compare_stored(
    books: Books, effects: Iterable[Effect], letters: Iterable[StoredLetter]
) -> None:
    """ClickHouse's rows against the topics."""
    stored = Comparison(books.effects, "ClickHouse")
    for effect in effects:
        stored.see(effect.id, effect)
    stored.finish()
    buried = Comparison(books.dead, "ClickHouse")
    for letter in letters:
        buried.see(place_of(letter), Buried.of(letter))
    buried.finish()


def _check_place(found: Found, effect: Effect, partitions: int, differences: Differences) -> None:
    key = effect.subject.encode()
    topic = TOPIC_OF[type(effect)]
    if (found.topic, found.partition, found.key) != (topic, partition_of(key, partitions), key):
        differences.add(
            f"effect {effect.id} at {_place(found)} has the wrong topic, key or partition"
        )


def _place(found: Found) -> str:
    return f"{found.topic}[{found.partition}]@{found.offset}"
