"""Each thing that can be wrong with a Kafka, made so on a real one."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from agents.doctor.cluster import topic_configurations
from agents.doctor.finding import Verdict
from agents.doctor.kafka import limits, reachable, transactions, wires
from agents.doctor.topics import topics
from agents.doctor.trial import trial
from agents.topics import all_topics, create
from config.settings import Settings
from tests.doctor.looking import found, settings_with, the_only
from tests.kafka_server import KafkaServer

OK, WARN, FAIL = Verdict
LIMITS = {
    "transaction.max.timeout.ms": "30000",
    "group.max.session.timeout.ms": "9000",
    "auto.create.topics.enable": "true",
}
DEFAULTS = {
    "retention.bytes": "-1",
    "delete.retention.ms": "86400000",
    "max.message.bytes": "1048588",
    "unclean.leader.election.enable": "false",
}
DAY = 86_400_000
pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A Kafka with narrow limits, and the topics as they should be."""
    server = KafkaServer(tmp_path_factory.mktemp("narrow"), properties=LIMITS)
    try:
        settings = settings_with(server.start())
        create(settings)
        yield settings
    finally:
        server.stop()


def _alter(settings: Settings, topic: str, name: str, value: str | None) -> None:
    how = AlterConfigOpType.SET if value is not None else AlterConfigOpType.DELETE
    entry = ConfigEntry(name, value or "", incremental_operation=how)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": settings.kafka.bootstrap})
    admin.incremental_alter_configs([resource])[resource].result(10)
    deadline = time.monotonic() + 60
    while value is not None and topic_configurations(admin, [topic])[topic][name] != value:
        assert time.monotonic() < deadline  # a broker follows its controller
        time.sleep(0.05)


def test_what_is_well_is_told_in_a_line(narrow: Settings) -> None:
    the_only(found(reachable, narrow), OK, "1 broker, found at")
    the_only(found(topics, narrow), OK, "topics, 4 partitions by customer")


@pytest.mark.parametrize(
    ("topic", "name", "value", "verdict", "words"),
    [
        ("vipcare-customers-changelog", "cleanup.policy", "delete", FAIL, "it loses what is old"),
        ("vip.tasks", "cleanup.policy", "compact", FAIL, "all but the last of a key"),
        ("bank.card", "retention.ms", str(2 * DAY), WARN, "for 2 days, not for 30 days"),
        ("vip.audit", "retention.ms", str(DAY), WARN, "for 1 day, not for ever"),
        ("bank.card", "retention.ms", "3600000", WARN, "for 1 hour, not for 30 days"),
        (
            "bank.card",
            "retention.bytes",
            "1000000",
            WARN,
            "away, read or not, above 1,000,000 bytes",
        ),
        ("vip.journal", "max.message.bytes", "65536", FAIL, "messages of 65,536 bytes at most"),
        (
            "vipcare-customers-changelog",
            "delete.retention.ms",
            "1000",
            WARN,
            "for 1 second, not for 1",
        ),
        ("vip.profiles", "delete.retention.ms", "3600000", WARN, "removals for 1 hour"),
        ("bank.org", "min.compaction.lag.ms", "0", WARN, "for 0 ms, not for 30 days"),
        ("vip.alerts", "unclean.leader.election.enable", "true", WARN, "a leader that lacks"),
    ],
)
def test_a_topic_that_is_configured_otherwise(
    narrow: Settings, topic: str, name: str, value: str, verdict: Verdict, words: str
) -> None:
    (made,) = (one for one in all_topics(narrow) if one.name == topic)
    _alter(narrow, topic, name, value)
    try:
        findings = found(topics, narrow)
    finally:
        _alter(narrow, topic, name, made.configuration(narrow).get(name, DEFAULTS.get(name)))
    finding = the_only(findings, verdict, words)
    assert f"topic {topic} " in finding.what
    server = narrow.kafka.bootstrap
    alter = f"kafka-configs.sh --bootstrap-server {server} --alter --topic {topic} "
    assert alter in finding.advice
    assert len(findings) == 1
    the_only(found(topics, narrow), OK, "topics, 4")


def test_topics_that_are_missing_and_one_of_another_shape(kafka: str) -> None:
    settings = settings_with(kafka, worker={"app": "doctored"})
    admin = AdminClient({"bootstrap.servers": kafka})
    own = "doctored-customers-changelog"
    compact = {"cleanup.policy": "compact"}
    admin.create_topics([NewTopic(own, 3, 1, config=compact)])[own].result(10)
    findings = found(topics, settings)
    finding = the_only(findings, FAIL, "missing, or this user may not see them: bank.core")
    assert "vipcare topics create" in finding.advice
    the_only(findings, FAIL, f"topic {own} has 3 partitions, not 4")


def test_copies(narrow: Settings) -> None:
    settings = narrow.model_copy(
        update={"topics": narrow.topics.model_copy(update={"replication": 3, "min_insync": 2})}
    )
    findings = found(topics, settings)
    the_only(findings, FAIL, "topics.replication is 3, and there are 1 brokers")
    the_only(findings, FAIL, "topic bank.card has 1 copy, not 3")
    the_only(findings, FAIL, "topic bank.card is content with 1 copies in sync, not 2")


def test_limits_of_the_brokers(narrow: Settings) -> None:
    findings = found(limits, narrow)
    the_only(findings, FAIL, "worker.transaction_timeout_ms is 60,000, and the brokers allow at mo")
    the_only(findings, FAIL, "sink.session_timeout_s is 10, and the brokers allow 1 to 9")
    the_only(findings, WARN, "the brokers make a topic of any name")
    assert len(findings) == 3
    of_sink = found(limits, narrow, "sink")
    assert set(findings) - set(of_sink) == {
        the_only(findings, FAIL, "worker.transaction_timeout_ms")
    }


def test_limits_that_fit(kafka: str) -> None:
    the_only(found(limits, settings_with(kafka)), OK, "within what the brokers allow")
    assert not found(transactions, settings_with(kafka))


def test_a_trial_shows_transactions_and_the_clock_and_leaves_nothing(narrow: Settings) -> None:
    the_only(found(trial, narrow), FAIL, "max.transaction.timeout.ms")
    short = narrow.worker.model_copy(update={"transaction_timeout_ms": 30_000})
    settings = narrow.model_copy(update={"worker": short})
    findings = found(trial, settings)
    the_only(findings, OK, "transactions are kept")
    the_only(findings, OK, "Kafka's clock is ")
    admin = AdminClient({"bootstrap.servers": narrow.kafka.bootstrap})
    assert not [name for name in admin.list_topics(timeout=5).topics if "doctor" in name]


def test_wires() -> None:
    afar = settings_with("kafka-1:9092", clickhouse={"host": "clickhouse-1"})
    findings = found(wires, afar)
    the_only(findings, WARN, "to Kafka at kafka-1:9092 in plain text")
    the_only(findings, WARN, "to ClickHouse at clickhouse-1 in plain text")
    assert not found(wires, settings_with("127.0.0.1:9092"))
    safe = {"host": "clickhouse-1", "secure": True}
    assert not found(
        wires, settings_with("k:1", kafka={"security_protocol": "SSL"}, clickhouse=safe)
    )


@pytest.mark.broker
def test_another_number_of_partitions_is_told_once(fresh_broker: str) -> None:
    create(settings_with(fresh_broker, topics={"partitions": 2}))
    settings = settings_with(fresh_broker)
    finding = the_only(found(topics, settings), FAIL, "topics have 2 partitions, not 4: bank.core")
    assert "VIPCARE_TOPICS__PARTITIONS=2" in finding.advice
    assert "anew" not in finding.advice


@pytest.mark.broker
def test_of_one_topic_with_another_number_it_is_said_that_it_would_lose(fresh_broker: str) -> None:
    admin = AdminClient({"bootstrap.servers": fresh_broker})
    admin.create_topics([NewTopic("bank.core", 2, 1)])["bank.core"].result(10)
    settings = settings_with(fresh_broker)
    create(settings)
    finding = the_only(found(topics, settings), FAIL, "topic bank.core has 2 partitions, not 4")
    assert "what it holds is lost" in finding.advice


@pytest.mark.broker
def test_the_embedded_broker_is_found_out(fresh_broker: str) -> None:
    settings = settings_with(fresh_broker)
    create(settings)
    the_only(found(topics, settings), OK, "topics, 4 partitions")
    the_only(found(transactions, settings), FAIL, "keeps no transactions")
    findings = found(trial, settings)
    the_only(findings, FAIL, "does not keep transactions")
    the_only(findings, WARN, "does not stamp messages")
    honest = settings_with(fresh_broker, kafka={"transactions": False})
    the_only(found(wires, honest), WARN, "kafka.transactions is off")
    assert not found(transactions, honest)
    the_only(found(limits, honest), OK, "the brokers tell no limits")
    assert not [one for one in found(trial, honest) if one.verdict is FAIL]
