"""Do the topics, ClickHouse and the pure core agree, id by id and field by field?

The reference is what a reader of the topics sees from their beginning (`read_committed`). The
other two are the core run over the journal, and ClickHouse's typed columns, read through its
views and rendered as messages again. Nothing more and nothing less may be in any of the three.
Take it when the worker and the sink have caught up; anything still on its way is a difference.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from agents.clock import BankClock
from agents.core import core_settings
from agents.reading import Found, Onward, ReadingError
from agents.reconciliation.compare import Book, Codec, Comparison, Differences
from agents.reconciliation.latency import Latency
from agents.reconciliation.oracle import Oracle, Tally
from agents.reconciliation.past_rules import PastRules
from agents.register import rules_in_force
from config.settings import Settings
from schemas.dead_letters import DeadLetter, Reason, parse_dead_letter
from schemas.decode import type_of
from schemas.effects import (
    EFFECT_TOPICS,
    TOPIC_OF,
    Decision,
    Effect,
    Profile,
    decode_effect,
    encode_effect,
    is_new,
)
from schemas.events import EVENT_TYPES
from sinks.clickhouse.address import FAILURES
from sinks.clickhouse.errors import explain
from sinks.clickhouse.render import StoredLetter
from streams.partitioning import partition_of


class Buried(Struct, frozen=True):
    """A dead letter without its content: what the three readers must agree on."""

    reason: str
    category: str
    detail: str
    length: int
    sha256: str
    event_type: str
    event_source: str
    event_id: str
    first: str

    @classmethod
    def of(cls, letter: DeadLetter | StoredLetter) -> "Buried":
        return cls(
            str(letter.reason),
            str(letter.category),
            letter.detail,
            letter.length,
            letter.sha256,
            letter.event_type,
            letter.event_source,
            letter.event_id,
            letter.first,
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
        self._fired: set[tuple[str, str, str, str]] = set()

    def add_effect(self, effect: Effect) -> None:
        self.counts[TOPIC_OF[type(effect)]] += 1
        self.effects.add(effect.id, effect)
        if not isinstance(effect, Decision | Profile) and is_new(effect):
            cause = effect.data.cause
            self._fired.add((effect.data.rule.id, effect.subject, cause.source, cause.id))

    def firings(self) -> Counter[str]:
        """Rule → how often it fired: a firing may make several effects."""
        return Counter(rule for rule, *_ in self._fired)

    def add_dead(self, letter: DeadLetter) -> None:
        self.counts["vip.dead-letters"] += 1
        self.reasons[letter.reason.value] += 1
        if letter.reason is not Reason.REFUSED:  # the core knows nothing of what ClickHouse takes
            self.dead.add(place_of(letter), Buried.of(letter))


@dataclass(frozen=True, slots=True)
class Reconciliation:
    differences: Differences
    books: Books
    tally: Tally
    latency: Latency
    live_rules: list[str]
    types: Counter[str]
    """Event type → messages that name it."""


def place_of(letter: DeadLetter | StoredLetter) -> str:
    """Where the original stands: the name of a dead letter."""
    return f"{letter.topic}[{letter.partition}]@{letter.offset}"


class Reconciler:
    """Compares the three, and later goes on from there: with what has come since."""

    def __init__(self, settings: Settings) -> None:
        """Raises what the rules' loader raises."""
        core = core_settings(settings)
        rules = rules_in_force(settings, core).rules
        differences, tally = Differences(), Tally()
        latency = Latency(BankClock.from_settings(settings.clock))
        types: Counter[str] = Counter()

        oracle = Oracle(
            settings,
            core,
            PastRules(settings, core),
            differences,
            tally,
            _noting(latency, types),
        )
        self.onward = Onward(settings.kafka)
        """How far the topics of effects and dead letters were read."""
        self._partitions = settings.topics.partitions
        self._oracles = [oracle.partition(number) for number in range(self._partitions)]
        books = Books(differences)
        self._replayed = Comparisons(books, "the oracle")
        self._stored = Comparisons(books, "ClickHouse")
        live = [rule.id for rule in rules.definitions if rule.status == "live"]
        self.found = Reconciliation(differences, books, tally, latency, live, types)

    def go_on(self, effects: Iterable[Effect], letters: Iterable[StoredLetter]) -> Reconciliation:
        """`effects` and `letters` are what the rows say that ClickHouse has got since.

        They are read as the comparison goes. What cannot be read is a difference too.
        """
        found = self.found
        try:
            read_books(self.onward, self._partitions, found.books, found.latency)
            for oracle in self._oracles:
                for outcome in oracle.run():
                    self._replayed.see(outcome.effects, outcome.dead_letters)
            self._replayed.finish()
            self._stored.see(effects, letters)
            self._stored.finish()
        except ReadingError as error:
            found.differences.add(str(error))
        except FAILURES as error:
            found.differences.add(f"ClickHouse cannot be read: {explain(error)}")
        return found


def reconcile(
    settings: Settings, stored_effects: Iterable[Effect], stored_letters: Iterable[StoredLetter]
) -> Reconciliation:
    """Compare the three, everything from its beginning. Raises what the rules' loader raises."""
    return Reconciler(settings).go_on(stored_effects, stored_letters)


def read_books(onward: Onward, partitions: int, books: Books, latency: Latency) -> None:
    """Fill in everything that the effect topics and the dead letters' topic hold."""
    differences = books.differences
    for topic in EFFECT_TOPICS:
        for found in onward.topic(topic):
            try:
                effect: Effect = decode_effect(found.value or b"")
            except msgspec.MsgspecError:
                differences.add(f"{_place(found)} is no effect")
                continue
            _check_place(found, effect, partitions, differences)
            books.add_effect(effect)
            latency.effect(effect, found.timestamp)
    for found in onward.topic("vip.dead-letters"):
        try:
            books.add_dead(parse_dead_letter(found.headers, found.key, found.value))
        except ValueError as error:
            differences.add(f"{_place(found)}: {error}")


class Comparisons:
    """What another reader found, effects and dead letters, against the books."""

    def __init__(self, books: Books, reader: str) -> None:
        self._effects = Comparison(books.effects, reader)
        self._dead = Comparison(books.dead, reader)

    def see(
        self,
        effects: Iterable[Effect],
        letters: Iterable[DeadLetter] | Iterable[StoredLetter],
    ) -> None:
        for effect in effects:
            self._effects.see(effect.id, effect)
        for letter in letters:
            if letter.reason != Reason.REFUSED:
                self._dead.see(place_of(letter), Buried.of(letter))

    def finish(self) -> None:
        self._effects.finish()
        self._dead.finish()


def _noting(latency: Latency, types: Counter[str]) -> Callable[[Found], None]:
    """Takes down of every message that is replayed when it came and which type it names."""

    def on_event(found: Found) -> None:
        latency.event((found.topic, found.partition, found.offset), found.timestamp)
        if (named := type_of(found.value or b"")) in EVENT_TYPES:
            types[named] += 1

    return on_event


def _check_place(found: Found, effect: Effect, partitions: int, differences: Differences) -> None:
    key = effect.subject.encode()
    topic = TOPIC_OF[type(effect)]
    if (found.topic, found.partition, found.key) != (topic, partition_of(key, partitions), key):
        differences.add(
            f"effect {effect.id} at {_place(found)} has the wrong topic, key or partition"
        )


def _place(found: Found) -> str:
    return f"{found.topic}[{found.partition}]@{found.offset}"
