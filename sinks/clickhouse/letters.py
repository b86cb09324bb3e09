"""Dead letters for rows that ClickHouse does not take."""

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.dead_letters import DeadLetter, Reason, dead_letter
from sinks.clickhouse.errors import AwayError
from sinks.clickhouse.sieve import Refused
from sinks.clickhouse.tables import Table

TOPIC = "vip.dead-letters"
_ANSWER_S = 10.0


class Letters:
    """Sends to the dead letters' topic. `config` is librdkafka's; connects at the first letter."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = {
            **config,
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": int(_ANSWER_S * 1_000),
            "log_level": 0,
        }
        self._producer: Producer | None = None

    def send(self, letters: Sequence[DeadLetter]) -> None:
        """Until Kafka has all of them. Raises AwayError if it has not; then some may be there."""
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, _message: object) -> None:
            if error is not None:
                failed.append(error)

        try:
            producer = self._client()
            for one in letters:
                headers: list[Any] = one.headers()  # the stub wants wider pairs
                producer.produce(
                    TOPIC,
                    one.value,
                    one.key,
                    one.partition,
                    on_delivery=delivered,
                    headers=headers,
                )
                producer.poll(0)
            left = producer.flush(_ANSWER_S * 2)
        except (KafkaException, BufferError) as error:
            self._producer = None
            raise AwayError(
                f"a dead letter cannot be sent ({type(error).__name__})", "kafka"
            ) from None
        if failed or left:
            self._producer = None
            why = failed[0].name() if failed else "no answer"
            raise AwayError(f"Kafka has not taken the dead letters: {why}", "kafka")

    def _client(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(self._config)
        return self._producer


def letter_of(table: Table, refused: Refused) -> DeadLetter:
    """The original message of a refused row, whole, and why."""
    [message] = refused.row.messages
    told = dict(zip(table.columns, refused.row.row(0), strict=True))
    return dead_letter(
        Reason.REFUSED,
        f"ClickHouse does not take its row in {table.name}: {refused.problem}",
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        event_type=str(told.get("type", "")),
        event_source=str(told.get("source", "")),
        event_id=str(told.get("id", "")),
    )
