"""Whether Kafka answers, asked over connections of its own, whatever the process's clients do.

By a consumer that joins nothing, not by an admin client: librdkafka 2.x ends the process by a
failed assertion (`rd_kafka_enq_once_del_source_return`) when admin requests run into their
timeouts while the brokers are away.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

Place = tuple[str, int]
"""Topic and partition."""
_ANSWER_S = 4.0


class KafkaProbe:
    """Connects at the first question. For one thread."""

    def __init__(self, config: Mapping[str, Any], group: str) -> None:
        self._config = {**config, "group.id": group, "enable.auto.commit": False, "log_level": 0}
        self._consumer: Consumer | None = None

    def ends(self, places: Iterable[Place]) -> dict[Place, int] | None:
        """Where the logs end for committed readers; None if a leader of one does not answer."""
        try:
            return {place: self._end(place) for place in places}
        except KafkaException:
            return None

    def group_answers(self, place: Place) -> bool:
        """Whether the group's coordinator answers."""
        try:
            self._client().committed([TopicPartition(*place)], timeout=_ANSWER_S)
        except KafkaException:
            return False
        return True

    def _end(self, place: Place) -> int:
        found = self._client().get_watermark_offsets(TopicPartition(*place), timeout=_ANSWER_S)
        if found is None:  # the driver's word for a timeout
            raise KafkaException
        return int(found[1])

    def _client(self) -> Consumer:
        if self._consumer is None:
            self._consumer = Consumer(self._config)
        return self._consumer
