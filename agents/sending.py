"""Send messages to input topics from outside the pipeline: the simulated bank, events of a file."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from agents.diagnosis import wire_problem
from agents.librdkafka import librdkafka_config, unreachable
from agents.rights import Right, Role
from agents.rights_check import REFUSALS, lacking, missing_of, user_of
from config.wires import KafkaSettings
from schemas.events.reference import GLOBAL_TOPICS

READ_FACTS_S = 1.0
"""How long workers are given to read facts. A worker that runs follows them on a wire of their own,
and steps events with what it has read: they overtake each other if they are sent at once."""
_ANSWER_S = 5.0
_DELIVERY_S = 300.0
"""A broker that is up answers within that, be its machine ever so busy."""
_PAUSE_S = 0.1


class SendingError(Exception):
    """Messages could not be sent; one line that says where and what to do."""


class Sending:
    """A producer with every acknowledgement asked for, and Kafka's own partitioner for keys.

    Use it as a context manager; leaving it without an error waits until all is acknowledged.
    Facts and events count in the order in which they are sent, as far as workers keep up: where one
    follows the other, sending waits READ_FACTS_S.
    Raises SendingError: at the start if Kafka does not answer, a topic is missing or this user may
    not write to one, later if a message was not taken. `role` is whose rights it takes.
    """

    def __init__(self, kafka: KafkaSettings, topics: set[str], role: Role = "bank") -> None:
        self._kafka = kafka
        self._topics = topics
        self._role = role
        self._failed = 0
        self._reason = ""
        self._facts: bool | None = None
        """Whether what was sent last is a fact; None if nothing was sent."""
        self.acknowledged = 0
        config: dict[str, Any] = {
            **librdkafka_config(kafka),
            "acks": "all",
            # On the embedded broker idempotent producers work, at a fifth of the rate.
            "enable.idempotence": kafka.transactions,
            "partitioner": "murmur2_random",
            "delivery.timeout.ms": int(_DELIVERY_S * 1_000),
            "log_level": 0,
        }
        self._config = config
        self._producer: Producer

    def __enter__(self) -> Self:
        if problem := wire_problem(self._kafka):  # librdkafka would try for long
            raise SendingError(problem)
        rights = [Right("Write", "topic", name) for name in sorted(self._topics)]
        if missing := missing_of(rights, self._kafka):
            raise SendingError(lacking(missing, self._role, user_of(self._kafka)))
        # Not before: one that may write nowhere says so on stderr, whatever its log level.
        self._producer = Producer(self._config)
        try:
            there = self._producer.list_topics(timeout=_ANSWER_S).topics
        except KafkaException as error:
            raise SendingError(unreachable(self._kafka, error)) from error
        if absent := sorted(self._topics - there.keys()):
            raise SendingError(
                f"topic {', '.join(absent)} is missing: make it with `vipcare topics create`"
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.flush()

    def send(
        self,
        topic: str,
        key: bytes,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int = -1,
    ) -> None:
        """Hand a message over; waits while too many are under way. It goes to the key's partition
        unless another is named."""
        self._keep_order(topic in GLOBAL_TOPICS)
        carried: Any = list(headers)  # the stub asks for a list of more kinds
        while True:
            try:
                self._producer.produce(
                    topic, value, key, partition, on_delivery=self._delivered, headers=carried
                )
            except BufferError:
                self._producer.poll(_PAUSE_S)
            else:
                break
        self._producer.poll(0)
        self._raise_if_failed()

    def _keep_order(self, facts: bool) -> None:
        if self._facts is not None and self._facts != facts:
            self.flush()
            time.sleep(READ_FACTS_S)
        self._facts = facts

    def flush(self) -> None:
        """Wait until everything is acknowledged."""
        left = self._producer.flush(_DELIVERY_S + _ANSWER_S)
        self._failed += left
        self._reason = self._reason or _no_answer()
        self._raise_if_failed()

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        _ = message
        if error is None:
            self.acknowledged += 1
        else:
            self._failed += 1
            self._reason = error.str()
            if error.code() in REFUSALS:
                see = f"`vipcare topics acls {self._role}` prints the rights that it takes"
                self._reason += f": {see}"
            elif error.code() == KafkaError._MSG_TIMED_OUT:
                self._reason = _no_answer()

    def _raise_if_failed(self) -> None:
        if self._failed:
            raise SendingError(
                f"Kafka at {self._kafka.bootstrap} did not take {self._failed} messages "
                f"({self._reason}); {self.acknowledged} were taken before"
            )


def _no_answer() -> str:
    return (
        f"no answer for {_DELIVERY_S:.0f} seconds: is it down, or its machine too busy? "
        "`vipcare doctor` looks; then send again, what has the same id counts once"
    )
