"""A real worker's topics agree with the oracle; whatever is tampered with afterwards is found."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from agents.clock import BankClock
from agents.local.broker import EmbeddedBroker
from agents.reading import Found, Onward, read_topic
from agents.reconciliation.compare import Differences
from agents.reconciliation.latency import Latency
from agents.reconciliation.reconcile import (
    Books,
    Comparisons,
    Reconciler,
    Reconciliation,
    place_of,
    read_books,
    reconcile,
)
from agents.topics import changelog, create
from config.settings import Settings
from schemas.dead_letters import HEADERS, parse_dead_letter
from schemas.effects import TOPIC_OF, Effect, Profile, Task
from schemas.record import Record
from sinks.clickhouse.render import StoredLetter
from streams.partitioning import partition_of
from tests.kafka_server import KafkaServer
from tests.lane.events import produce_events
from tests.ops.pipeline import settings_for, wait_applied, worker

EVENTS = 1_500


@dataclass
class Run:
    """A run that ended, and what a faithful ClickHouse would hold of it."""

    settings: Settings
    effects: list[Effect]
    letters: list[StoredLetter]

    def reconcile(self) -> Reconciliation:
        return reconcile(self.settings, self.effects, self.letters)

    def problems(self) -> list[str]:
        return self.reconcile().differences.told()

    def append(self, topic: str, key: bytes, value: bytes | None) -> None:
        producer = Producer({"bootstrap.servers": self.settings.kafka.bootstrap})
        partition = partition_of(key, self.settings.topics.partitions)
        producer.produce(topic, value, key, partition=partition)
        assert producer.flush(20) == 0

    def found(self, topic: str) -> list[Found]:
        return list(read_topic(self.settings.kafka, topic))


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    if request.param == "kafka":
        server: KafkaServer = request.getfixturevalue("fresh_kafka")
        yield _run(settings_for(server.bootstrap, tmp_path, transactions=True))
        return
    with EmbeddedBroker() as broker:
        yield _run(settings_for(broker.bootstrap, tmp_path, transactions=False))


def _run(settings: Settings) -> Run:
    create(settings)
    produce_events(settings, EVENTS)
    with worker(settings):
        wait_applied(settings)
    books = _books(settings)
    effects = [books.effects.codec.unpack(kept) for kept in books.effects.entries.values()]
    letters = [
        parse_dead_letter(found.headers, found.key, found.value)
        for found in read_topic(settings.kafka, "vip.dead-letters")
    ]
    stored = [
        StoredLetter(**{name: getattr(letter, name) for name in HEADERS}) for letter in letters
    ]
    return Run(settings, effects, stored)


def _books(settings: Settings) -> Books:
    books = Books(Differences())
    onward, partitions = Onward(settings.kafka), settings.topics.partitions
    read_books(onward, partitions, books, Latency(BankClock()))
    return books


def test_a_run_reconciles_and_tampering_does_not(run: Run, tmp_path: Path) -> None:
    clean = run.reconcile()
    assert clean.differences.told() == []
    assert clean.tally.events == EVENTS
    assert clean.books.counts["vip.profiles"] > 0
    assert clean.books.counts["vip.dead-letters"] == clean.books.reasons.total() > 0
    assert set(clean.live_rules) >= set(clean.books.firings())
    # The others are as many as the order in which topics were read makes them: Christmas, for one,
    # is greeted where the customers of a partition came before its first time.
    prompt = sum(_is_prompt(effect) for effect in run.effects)
    assert clean.latency.figures()["all_effects"] == prompt > len(run.effects) / 2
    fired = {name: n for name, n in clean.tally.counts.items() if name.startswith("fired:")}
    assert fired == {f"fired:{rule}": n for rule, n in clean.books.firings().items()}
    _change_the_rules(run, tmp_path / "rules")
    _tamper_with_clickhouse(run)
    later = Reconciler(run.settings)
    for new in ((run.effects, run.letters), ((), ())):
        found = later.go_on(*new)
        assert (found.differences.told(), found.tally.events) == ([], EVENTS)
    _tamper_with_topics(run)
    assert sorted(later.go_on((), ()).differences.told()) == sorted(run.problems())


def _is_prompt(effect: Effect) -> bool:
    """Whether a customer's own message made it, at once: no day of the calendar, no wait."""
    cause = effect.data.cause
    if isinstance(effect, Profile):
        return cause.topic != "" and effect.time == cause.time
    return cause.topic != "" and effect.data.waited_until is None


def _tamper_with_clickhouse(run: Run) -> None:
    effects, letters = run.effects, run.letters
    one, letter = effects[0], letters[0]
    other = msgspec.structs.replace(one, subject="C-other")
    invalid = msgspec.structs.replace(one, subject="")
    worse = letter._replace(sha256="0" * 64)
    books = _books(run.settings)
    differences = books.differences

    def problem(effects: list[Effect], letters: list[StoredLetter]) -> str:
        before = differences.total
        comparisons = Comparisons(books, "ClickHouse")
        comparisons.see(effects, letters)
        comparisons.finish()
        assert differences.total == before + 1
        return differences.lines[-1]

    for changed, says in (
        (effects[1:], "ClickHouse has not got it, its topic has"),
        ([*effects, one], "ClickHouse has it more than once"),
        ([other, *effects[1:]], "ClickHouse and its topic differ in subject"),
        ([invalid, *effects[1:]], "ClickHouse and its topic differ in a value that is not allowed"),
    ):
        assert problem(changed, letters) == f"effect {one.id}: {says}"
    for these, says in (
        (letters[1:], "ClickHouse has not got it, its topic has"),
        ([*letters, letters[0]], "ClickHouse has it more than once"),
        ([worse, *letters[1:]], "ClickHouse and its topic differ in sha256"),
    ):
        assert problem(effects, these) == f"dead letter {place_of(letter)}: {says}"


def _change_the_rules(run: Run, folder: Path) -> None:
    shipped = sorted(Path("config/rules").glob("*.yaml"))
    folder.mkdir()
    for rule in shipped[1:]:
        shutil.copy(rule, folder)
    worker = run.settings.worker.model_copy(update={"rules": folder})
    changed = run.settings.model_copy(update={"worker": worker})
    lines = reconcile(changed, run.effects, run.letters).differences.told()
    assert any("was made with the rules" in line for line in lines)


def _tamper_with_topics(run: Run) -> None:
    """Each adds to the lines of those before it."""
    profile = next(found for found in run.found("vip.profiles"))
    assert profile.key is not None
    run.append("vip.profiles", profile.key, profile.value)
    lines = run.problems()
    assert len(lines) == 1
    assert "stands in its topic more than once" in lines[0]

    invented = (profile.value or b"").replace(b'"id":"', b'"id":"x', 1)
    run.append(TOPIC_OF[Profile], profile.key, invented)
    lines = run.problems()
    assert sum("the oracle has not got it, its topic has" in line for line in lines) == 1
    assert sum("ClickHouse has not got it, its topic has" in line for line in lines) == 1
    assert len(lines) == 3

    run.append(TOPIC_OF[Task], b"C0001", b"no effect")
    assert sum("is no effect" in line for line in run.problems()) == 1

    log = changelog(run.settings.worker.app)
    stored = next(found for found in run.found(log) if found.key and found.key > b"A")
    assert stored.key is not None
    record = Record("", stored.value)
    record.edit_profile().basics.tier = "tampered"
    run.append(log, stored.key, record.encode())
    [line] = [line for line in run.problems() if line.startswith("record of ")]
    assert "the oracle and the changelog differ in" in line
    assert "profile.basics.tier" in line

    run.append("bank.core", stored.key, b"late")
    [line] = [line for line in run.problems() if line.startswith("bank.core[")]
    assert line.endswith("1 messages were not applied")
