"""What of a stepped chunk goes to Kafka, as messages."""

from collections.abc import Iterator

from agents.lane.outbox import Batch, Message
from schemas.effects import TOPIC_OF
from schemas.events import INTERNAL
from schemas.position import (
    JOURNAL_TOPIC,
    POSITION_KEY,
    REACH_KEY,
    Position,
    encode_position,
    encode_reach,
)
from streams.chunk import Outcome
from streams.mirror import Told
from streams.partitioning import partition_of


def batch_of(outcome: Outcome, position: Position, changelog: str, partitions: int) -> Batch:
    """Effects, dead letters and what other customers are told; the changed records; the position,
    which is the last."""
    place = encode_position(position)
    effects = [
        Message(TOPIC_OF[type(effect)], effect.subject.encode(), value)
        for effect, value in zip(outcome.effects, outcome.encoded, strict=True)
    ]
    effects += [
        Message("vip.dead-letters", letter.key, letter.value, letter.headers())
        for letter in outcome.dead_letters
    ]
    effects += [_to_other(told, partitions) for told in outcome.told]
    changes = [Message(changelog, key, stored) for key, stored in changed(outcome)]
    if position.reach is not None:
        changes.append(Message(changelog, REACH_KEY, encode_reach(position.reach)))
    changes.append(Message(JOURNAL_TOPIC, str(position.partition).encode(), place))
    return Batch(effects, changes, Message(changelog, POSITION_KEY, place))


def changed(outcome: Outcome) -> Iterator[tuple[bytes, bytes]]:
    """Key and encoded form of each changed record."""
    for customer, record in outcome.records.items():
        assert record.stored is not None, "a changed record was encoded"
        yield customer.encode(), record.stored


def _to_other(told: Told, partitions: int) -> Message:
    key = told.customer.encode()
    return Message(INTERNAL, key, told.value, partition=partition_of(key, partitions))
