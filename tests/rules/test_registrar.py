"""The registrar where it must not begin: on a cluster inside the client, without a broker."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from agents.registrar import Registrar, RegistrarError
from config.settings import KafkaSettings, Settings
from schemas.rule_register import RULES_TOPIC


@pytest.fixture
def cluster() -> Iterator[str]:
    """One that has the register and no topic beside it."""
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    producer.produce(RULES_TOPIC, b"{}", b"none")
    producer.flush(5)
    (broker,) = producer.list_topics(timeout=5).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del producer


def test_no_change_goes_unaudited(cluster: str) -> None:
    settings = Settings(kafka=KafkaSettings(bootstrap=cluster, transactions=False))
    with (
        pytest.raises(RegistrarError, match=r"vip\.audit is missing.*`vipcare topics create`"),
        Registrar(settings, "carl"),
    ):
        pytest.fail("it began")
