"""On Apache Kafka: what is left to apply, where topics end in markers of transactions."""

import json
import time
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.topics import create
from config.settings import Settings
from tests.kafka_server import KafkaServer
from tests.lane.process import Worker, settings_for
from tests.schemas.examples import examples

pytestmark = pytest.mark.kafka
LAG = "vipcare_lag"


def _send(settings: Settings, first: int) -> None:
    """Ten events in a transaction, and ten in one that is aborted."""
    servers = {"bootstrap.servers": settings.kafka.bootstrap, "log_level": 0}
    producer = Producer({**servers, "transactional.id": "t"})
    producer.init_transactions(20)
    example = examples("account.closed")[0]
    for kept in (True, False):
        producer.begin_transaction()
        for number in range(first, first + 10):
            told = {**example, "id": f"{kept}-{number}"}
            producer.produce("bank.core", json.dumps(told).encode(), told["subject"])
        producer.flush(20)
        (producer.commit_transaction if kept else producer.abort_transaction)(20)


def test_lag_is_nothing_once_all_is_applied(fresh_kafka: KafkaServer, tmp_path: Path) -> None:
    settings = settings_for(fresh_kafka.bootstrap, tmp_path, transactions=True)
    create(settings)
    _send(settings, 0)
    with Worker(settings) as worker:
        worker.wait_until(lambda: worker.total("vipcare_events_total") == 10)
        _comes_to_nothing(worker)
        _send(settings, 10)
        worker.wait_until(lambda: worker.total("vipcare_events_total") == 20)
        _comes_to_nothing(worker)
        assert worker.stop() == 0
    with Worker(settings) as worker:
        worker.wait_ready(2)
        _comes_to_nothing(worker)
        assert worker.stop() == 0


def _comes_to_nothing(worker: Worker) -> None:
    """Once it was told of the end: before, there may be no lag yet, or one of before."""
    time.sleep(3)
    worker.wait_until(lambda: worker.total(LAG) == 0, 10)
