"""Facts at work: rates that change under a running worker, and an oracle that makes them again."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.cli.main import cli
from agents.librdkafka import librdkafka_config
from agents.reconciliation.past_facts import PastFacts
from agents.topics import create
from config.settings import Settings
from schemas.events.campaign import CAMPAIGNS
from schemas.record import Record
from tests.kafka_server import KafkaServer
from tests.lane.oracle import actual, assert_reconciled
from tests.lane.process import Worker, settings_for
from tests.lane.rules import with_few

CUSTOMERS = [f"C{number}" for number in range(20)]


def transfers(round_: int) -> Iterator[dict[str, Any]]:
    """One of 100 USD for every customer, without an amount in the base currency."""
    for customer in CUSTOMERS:
        name = f"T{round_}-{customer}"
        data = {"transfer": name, "account": "A1", "direction": "out"}
        yield event(
            "transfer.completed", customer, name, data | {"amount": "100", "currency": "USD"}
        )


def rate(number: int, value: str) -> dict[str, Any]:
    data = {"exchange_rate": "USD", "rate": value}
    return event("exchange_rate.set", "exchange_rate:USD", f"fx-{number}", data)


def event(event_type: str, subject: str, name: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": "test",
        "type": event_type,
        "subject": subject,
        "time": "2026-01-01T00:00:00Z",
        "data": data,
    }


def send(settings: Settings, folder: Path, events: list[dict[str, Any]]) -> None:
    """As somebody sends a file of them."""
    file = folder / "events.jsonl"
    file.write_text("\n".join(json.dumps(one) for one in events))
    kafka = {
        "VIPCARE_KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
        "VIPCARE_KAFKA__TRANSACTIONS": str(settings.kafka.transactions),
    }
    told = CliRunner(env=kafka).invoke(cli, ["events", "send", str(file)])
    assert told.exit_code == 0, told.output


def follow_the_rates(settings: Settings, folder: Path) -> None:
    create(settings)
    send(settings, folder, [*transfers(0)])
    with Worker(settings) as worker:
        worker.wait_until(lambda: worker.total("vipcare_dead_letters_total") == len(CUSTOMERS))
        for number, value in enumerate(("7.00", "8.00"), 1):
            send(settings, folder, [rate(number, value)])
            worker.wait_until(lambda: worker.total("vipcare_facts_position") >= number)  # noqa: B023  # used at once
            send(settings, folder, [*transfers(number)])
            applied = number * len(CUSTOMERS)
            worker.wait_until(lambda: worker.total("vipcare_events_applied_total") == applied)  # noqa: B023  # used at once
        _break_a_fact(settings)
        worker.wait_until(lambda: worker.total("vipcare_facts_refused_total") == 1)
        worker.stop()
    send(settings, folder, [*transfers(3)])
    with Worker(settings) as again:
        again.wait_until(lambda: again.total("vipcare_events_applied_total") == len(CUSTOMERS))
        again.stop()
    assert_reconciled(settings, 4 * len(CUSTOMERS))
    made: dict[str, bytes] = {}
    for partition in range(settings.topics.partitions):
        made |= actual(settings, partition).records
    assert made.keys() == set(CUSTOMERS)
    for customer, record in made.items():
        total = Record(customer, record).activity.outflow.base_total
        assert total == Decimal("700") + Decimal("800") + Decimal("800")


def keep_the_order_of_a_file(settings: Settings, folder: Path) -> None:
    """A new currency's rate and its events, another rate and more, all in one file; then a line
    that takes the rate away."""
    create(settings)
    with Worker(settings) as worker:
        worker.wait_ready()
        send(settings, folder, [rate(1, "7"), *transfers(1), rate(2, "8"), *transfers(2)])
        applied = 2 * len(CUSTOMERS)
        worker.wait_until(lambda: worker.total("vipcare_events_applied_total") == applied)
        assert worker.total("vipcare_dead_letters_total") == 0
        send(settings, folder, [{"key": "exchange_rate:USD", "value": None}, *transfers(3)])
        worker.wait_until(lambda: worker.total("vipcare_dead_letters_total") == len(CUSTOMERS))
        worker.stop()
    for partition in range(settings.topics.partitions):
        for customer, record in actual(settings, partition).records.items():
            assert Record(customer, record).activity.outflow.base_total == Decimal("1500")


def _break_a_fact(settings: Settings) -> None:
    """A fact that nobody can read: the one before it stays in force."""
    producer = Producer({**librdkafka_config(settings.kafka), "enable.idempotence": False})
    producer.produce("bank.reference", b"{", b"exchange_rate:USD", partition=0)
    assert producer.flush(10) == 0


@pytest.mark.broker
def test_a_rate_that_changes_on_the_embedded_broker(fresh_broker: str, tmp_path: Path) -> None:
    settings = settings_for(fresh_broker, tmp_path / "data", transactions=False)
    follow_the_rates(with_few(settings), tmp_path)


@pytest.mark.kafka
def test_a_rate_that_changes_on_apache_kafka(fresh_kafka: KafkaServer, tmp_path: Path) -> None:
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "data", transactions=True)
    follow_the_rates(with_few(settings), tmp_path)


@pytest.mark.broker
def test_a_file_of_rates_and_events_counts_in_its_order(fresh_broker: str, tmp_path: Path) -> None:
    settings = settings_for(fresh_broker, tmp_path / "data", transactions=False)
    keep_the_order_of_a_file(with_few(settings), tmp_path)


@pytest.mark.kafka
def test_facts_of_the_past_without_campaigns_that_kafka_deleted(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "data", transactions=True)
    create(settings)
    days = {"starts_on": "2026-01-02", "ends_on": "2026-01-03"}
    titles = {"category": "golf", "title_zh": "球", "title_en": "Golf"}
    for name in ("first", "second", "third"):
        data = {"campaign": name, **titles, **days}
        send(settings, tmp_path, [event("campaign.announced", f"campaign:{name}", name, data)])
    past = PastFacts(settings.kafka)
    assert set(past.at({CAMPAIGNS: 3}).announced) == {
        "campaign:first", "campaign:second", "campaign:third",
    }  # fmt: skip
    admin = AdminClient(librdkafka_config(settings.kafka))
    for upto, left in ((2, {"campaign:third"}), (3, set())):
        for future in admin.delete_records([TopicPartition(CAMPAIGNS, 0, upto)]).values():
            future.result(10)
        assert set(PastFacts(settings.kafka).at({CAMPAIGNS: 3}).announced) == left
