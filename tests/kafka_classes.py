"""Kafka's classes as Java maps them into memory: read and verified once, for all servers of tests.

A start takes a third less of a processor. They are kept beside the jars; where Java has
changed meanwhile, or they are absent, it starts as ever.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.local.kafka.jars import jars
from agents.local.kafka.node import KafkaNode

_END_S = 60.0


def shared_classes(java: Sequence[str]) -> Path | None:
    """The archive for servers with these options of Java, made if need be; None while there is
    none because another process makes it."""
    folder, program = jars(), os.path.realpath(shutil.which("java") or "")
    digest = hashlib.sha256("\n".join((program, *java)).encode()).hexdigest()[:8]
    archive = folder.with_name(f"{folder.name}-{digest}.jsa")
    if not archive.exists():
        with archive.with_suffix(".lock").open("w") as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not archive.exists():
                _make(archive, java)
    return archive if archive.exists() else None


def _make(archive: Path, java: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent) as made:
        classes = Path(made, "classes")
        node = KafkaNode(Path(made, "kafka"), java=(*java, f"-XX:ArchiveClassesAtExit={classes}"))
        try:
            _use(node.start())
            os.kill(node.pid, signal.SIGTERM)
            if node.wait(_END_S) is not None:  # whole, then: Java writes them at its end
                classes.rename(archive)
        finally:
            node.stop()


def _use(bootstrap: str) -> None:
    """What all tests do, so that its classes are among them."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic("t", 1, 1)])["t"].result(20)
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": "t"})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce("t", b"any")
    producer.commit_transaction(20)
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "t", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["t"])
    consumer.poll(20)
    consumer.close()
