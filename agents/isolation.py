"""Which rules raise too often in this worker, and how the others hear of it.

A rule that raised so often is switched to shadow through the register: every worker runs it so from
the chunk on before which it reads that there, this one too, and the position names the place.
"""

import socket
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import structlog
from confluent_kafka import KafkaError, Message, Producer

from agents.librdkafka import librdkafka_config
from config.wires import KafkaSettings
from schemas.rule_register import RULES_TOPIC, Isolated, RegisterKey, encode_register
from schemas.rules import RuleDefinition

logger = structlog.get_logger()

Name = tuple[str, int]
"""A rule, and its version."""


class Isolation:
    """`failed` is for the event loop, `publish` for the thread that follows the register."""

    def __init__(self, kafka: KafkaSettings, limit: int) -> None:
        self._kafka = kafka
        self._limit = limit
        self._errors: Counter[Name] = Counter()
        self._asked: set[Name] = set()
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def failed(self, rule: RuleDefinition, errors: int) -> None:
        """A live rule raised so many times more."""
        name = rule.id, rule.version
        with self._lock:
            before = self._errors[name]
            self._errors[name] += errors
        if before < self._limit <= before + errors:
            logger.error("rule_isolated", rule=rule.id, version=rule.version, errors=self._limit)

    def publish(self, isolated: frozenset[Name]) -> None:
        """Tell of the rules that are over the limit and not in the register yet.

        What Kafka did not take is told again with a later call.
        """
        with self._lock:
            over = [name for name, errors in self._errors.items() if errors >= self._limit]
            for name in isolated.intersection(over):  # counts anew if that is lifted
                del self._errors[name]
        self._asked -= isolated
        for name in over:
            if name not in isolated and name not in self._asked:
                self._asked.add(name)
                self._send(name, self._errors[name])
        if self._producer is not None:
            self._producer.poll(0)

    def _send(self, name: Name, errors: int) -> None:
        if self._producer is None:
            config: dict[str, Any] = {**librdkafka_config(self._kafka), "acks": "all"}
            self._producer = Producer(config | {"log_level": 0})

        def delivered(error: KafkaError | None, message: Message) -> None:
            _ = message
            if error is not None:
                logger.warning("isolation_not_told", rule=name[0], error=error.str())
                self._asked.discard(name)

        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        told = Isolated(errors=errors, worker=socket.gethostname(), at=now)
        key = RegisterKey("isolated", *name).encode()
        self._producer.produce(RULES_TOPIC, encode_register(told), key, on_delivery=delivered)
