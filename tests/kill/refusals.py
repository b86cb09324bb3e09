"""What a worker must not start on."""

from confluent_kafka.admin import AdminClient

from agents.faults import Fault
from agents.librdkafka import librdkafka_config
from agents.topics import create
from config.settings import Settings
from tests.kill.keeper import Kept
from tests.kill.world import PARTITIONS, World


def wrong_number_of_partitions(world: World) -> None:
    """Refused at the start, in one line that says which topic."""
    settings = world.worker_settings("refused")
    topics = settings.topics.model_copy(update={"partitions": PARTITIONS + 1})
    changed = settings.model_copy(update={"topics": topics})
    _refused(world, changed, 2, f"topic bank.core has {PARTITIONS} partitions, not 5")


def topic_made_anew(world: World) -> None:
    """Refused for ever: what its positions say is of a topic that is gone. The world ends here."""
    with world.workers("one"), world.flow():
        pass
    admin = AdminClient(librdkafka_config(world.settings.kafka))
    admin.delete_topics(["bank.service"])["bank.service"].result()
    settings = world.worker_settings("one")
    _refused(world, settings, 2, "topic bank.service is missing")
    create(settings)
    _refused(world, settings, Fault.POSITION, "was made anew")


def _refused(world: World, settings: Settings, status: int, line: str) -> None:
    worker = Kept("worker", "refused", settings, world.new_logs())
    worker.start()
    try:
        assert worker.wait_ended(0) == status
        assert line in worker.said(0), worker.said(0)[-2_000:]
    finally:
        worker.end()
