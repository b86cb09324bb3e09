"""What the driver took from Kafka, as the sink's own messages."""

from __future__ import annotations

from confluent_kafka import Message as KafkaMessage
from hypothesis import given
from hypothesis import strategies as st

from sinks.clickhouse.message import Message
from sinks.clickhouse.messages import Messages

_bytes = st.none() | st.binary(max_size=20)
taken = st.builds(
    KafkaMessage,
    topic=st.sampled_from(["bank.core", "vip.tasks"]),
    partition=st.integers(0, 9),
    offset=st.integers(0, 2**62),
    timestamp=st.tuples(st.just(1), st.integers(-1, 2**62)),
    key=_bytes,
    value=_bytes,
    headers=st.none() | st.lists(st.tuples(st.text(max_size=5), _bytes), max_size=3),
)


@given(st.lists(taken, max_size=20))
def test_messages_are_those_of_the_twin(found: list[KafkaMessage]) -> None:
    assert [*Messages(found).all()] == [message_of(one) for one in found]


def message_of(message: KafkaMessage) -> Message:
    """One by one: slow and plain."""
    return Message(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp=message.timestamp()[1],
        value=message.value(),
        headers=[(name, value) for name, value in message.headers() or [] if value is not None],
        key=message.key(),
    )
