"""The ground on which a workload's contenders meet: one Apache Kafka, its topics, the backlog."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pydantic import BaseModel

from agents.librdkafka import librdkafka_config
from agents.local.broker import EmbeddedBroker
from agents.topics import create
from config.load_attributes import read_attributes
from config.load_calendar import read_calendar
from config.load_greetings import read_greetings
from config.settings import KafkaSettings, Settings, TopicSettings
from schemas.rules import RuleDefinition
from streams.partitioning import partition_of
from tests.bench.throughput.workload import CALENDAR, Message, Workload
from tests.kafka_server import KafkaServer

Headers = list[tuple[str, bytes]]


class Sending(NamedTuple):
    topic: str
    customer: bytes
    key: bytes
    value: bytes
    headers: Headers | None = None


class Ground(NamedTuple):
    settings: Settings
    """Kafka's address, the number of partitions."""
    kafka_data: Path | None
    """Kafka's own folder of logs; None where it cannot be looked at."""
    folder: Path
    """Holds the rules, in both forms."""

    @property
    def bootstrap(self) -> str:
        return self.settings.kafka.bootstrap

    @property
    def port(self) -> int:
        return int(self.bootstrap.rpartition(":")[2])

    @property
    def partitions(self) -> int:
        return self.settings.topics.partitions

    @property
    def rules_folder(self) -> Path:
        return self.folder / "rules"

    @property
    def rules_file(self) -> Path:
        return self.folder / "rules.json"

    def bytes_of(self, topic: str) -> int:
        """What Kafka has written of a topic to its disk: all that is in its log, compressed."""
        if self.kafka_data is None or not topic:
            return 0
        return sum(log.stat().st_size for log in self.kafka_data.glob(f"{topic}-*/*.log"))

    def make_topic(self, name: str) -> None:
        admin = AdminClient(librdkafka_config(self.settings.kafka))
        topic = NewTopic(name, self.partitions, 1, config={"cleanup.policy": "compact"})
        for made in admin.create_topics([topic]).values():
            made.result()

    def remove_topic(self, name: str) -> None:
        """Its disk is given back. Whoever made it: nobody reads it any more."""
        admin = AdminClient(librdkafka_config(self.settings.kafka))
        for gone in admin.delete_topics([name]).values():
            gone.exception()

    def tell(self, facts: Iterable[Message]) -> None:
        """To the one partition of their topics."""
        producer = Producer({**librdkafka_config(self.settings.kafka), "enable.idempotence": False})
        for one in facts:
            producer.produce(one.topic, one.value, one.key, partition=0)
        if left := producer.flush(30):
            raise RuntimeError(f"{left} facts were not delivered")

    def send(self, messages: Iterable[Sending]) -> int:
        """Each to its customer's partition; returns how many."""
        options = {
            "enable.idempotence": False,
            "linger.ms": 20,
            "batch.num.messages": 10_000,
            "queue.buffering.max.messages": 500_000,
        }
        producer = Producer({**librdkafka_config(self.settings.kafka), **options})
        places: dict[bytes, int] = {}
        count = 0
        for one in messages:
            place = places.get(one.customer)
            if place is None:
                place = places[one.customer] = partition_of(one.customer, self.partitions)
            _produce(producer, one, place)
            count += 1
        if left := producer.flush(120):
            raise RuntimeError(f"{left} messages were not delivered in two minutes")
        return count


def _produce(producer: Producer, one: Sending, place: int) -> None:
    while True:
        try:
            producer.produce(one.topic, one.value, one.key, partition=place, headers=one.headers)
        except BufferError:
            producer.poll(0.05)
        else:
            return


@contextmanager
def apache_kafka(partitions: int, workload: Workload) -> Iterator[Ground]:
    """A fresh server, with all topics and the backlog."""
    with tempfile.TemporaryDirectory(prefix="vipcare-bench-") as made:
        folder = Path(made)
        server = KafkaServer(folder / "kafka", java=())
        try:
            kafka = KafkaSettings(bootstrap=server.start())
            settings = Settings(kafka=kafka, topics=TopicSettings(partitions=partitions))
            yield _prepared(Ground(settings, folder / "kafka" / "data", folder), workload)
        finally:
            server.stop()


@contextmanager
def embedded_broker(partitions: int, workload: Workload) -> Iterator[Ground]:
    """The same on the embedded broker: in memory, without transactions."""
    with tempfile.TemporaryDirectory(prefix="vipcare-bench-") as made, EmbeddedBroker() as broker:
        kafka = KafkaSettings(bootstrap=broker.bootstrap, transactions=False)
        settings = Settings(kafka=kafka, topics=TopicSettings(partitions=partitions))
        yield _prepared(Ground(settings, None, Path(made)), workload)


def _prepared(ground: Ground, workload: Workload) -> Ground:
    create(ground.settings)
    write_rules(ground, workload.rules, workload.facts)
    ground.tell(workload.facts)
    ground.send(Sending(one.topic, one.key, one.key, one.value) for one in workload.messages)
    return ground


def write_rules(
    ground: Ground, rules: Sequence[RuleDefinition], facts: Sequence[Message] = ()
) -> None:
    """A file a rule for the worker (JSON is YAML too); all in one, with the facts and what the
    worker's settings say of the bank, for the peers."""
    definitions: list[Mapping[str, object]] = [
        rule.model_dump(mode="json", by_alias=True, exclude_none=True) for rule in rules
    ]
    ground.rules_folder.mkdir()
    for one in definitions:
        (ground.rules_folder / f"{one['id']}.yaml").write_text(json.dumps(one))
    written = {
        "rules": definitions,
        "attributes": [_written(one) for one in read_attributes()],
        "greetings": [_written(one) for one in read_greetings()],
        "calendar": _written(read_calendar(CALENDAR)),
        "time_zone": ground.settings.step.time_zone,
        "facts": [(one.topic, one.key.decode(), one.value.decode()) for one in facts],
    }
    ground.rules_file.write_text(json.dumps(written))


def _written(definition: BaseModel) -> object:
    return definition.model_dump(mode="json", by_alias=True)
