"""A verdict that goes on from the last one still finds what is wrong, in what is new and in old."""

from pathlib import Path

import pytest
from clickhouse_driver import Client
from confluent_kafka import Producer

from agents.clickhouse import clickhouse_address
from agents.librdkafka import librdkafka_config
from agents.reading import Found, read_topic
from agents.topics import changelog
from sinks.clickhouse.address import client_of
from tests.kill.audit import Auditor
from tests.kill.keeper import wait_until
from tests.kill.progress import written
from tests.kill.totals import Totals
from tests.kill.world import World


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_verdict_that_goes_on_finds_what_is_wrong(tmp_path: Path) -> None:
    world = World(tmp_path, "audit", Totals())
    try:
        auditor = Auditor(world.settings, world.ledger)
        _traffic(world)
        assert auditor.verdict().good
        old = _alerts(world)
        _traffic(world)
        new = next(one for one in _alerts(world) if one not in old)
        with client_of(clickhouse_address(world.settings.clickhouse)) as client:
            _delete(client, new)
            told = auditor.verdict().problems
            assert any("ClickHouse has not got it" in line for line in told), told
            shown = f"ClickHouse shows {len(_alerts(world)) - 2} alerts"
            assert not any(shown in line for line in told), told
            _delete(client, old[0])
            told = auditor.verdict().problems
            assert any(shown in line for line in told), told
        _again(world, old[1])
        verdict = auditor.verdict()
        assert verdict.doubled == _counted(old[1])
        assert any("stands in its topic more than once" in line for line in verdict.problems)
        record = next(read_topic(world.settings.kafka, changelog(world.settings.worker.app)))
        _again(world, record._replace(key=b"C9999998"))
        assert any("record of C9999998" in line for line in auditor.verdict().problems)
        _again(world, next(read_topic(world.settings.kafka, "bank.app")))
        told = auditor.verdict().problems
        assert any("1 messages were not applied" in line for line in told), told
    finally:
        world.close()


def _traffic(world: World) -> None:
    with world.workers("one"):
        world.send(300)
    wait_until(lambda: written(world.settings), "the sink has written everything")


def _alerts(world: World) -> list[Found]:
    return list(read_topic(world.settings.kafka, "vip.alerts"))


def _counted(alert: Found) -> int:
    """Whether it is the alert of a transfer."""
    return int(b'"every-transfer"' in (alert.value or b""))


def _delete(client: Client, alert: Found) -> None:
    where = f"partition = {alert.partition} AND offset = {alert.offset}"
    client.execute(f"ALTER TABLE alerts_raw DELETE WHERE {where} SETTINGS mutations_sync = 2")


def _again(world: World, message: Found) -> None:
    """The same once more, as nobody of ours sends it."""
    producer = Producer(librdkafka_config(world.settings.kafka))
    producer.produce(message.topic, message.value, message.key, partition=message.partition)
    assert producer.flush(20) == 0
