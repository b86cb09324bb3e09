"""Quix Streams: state in RocksDB with a changelog, exactly-once (a transaction a checkpoint)."""

from functools import reduce
from typing import Any

from quixstreams import Application, State, message_context
from quixstreams.models import Serializer

from streams.inputs import Raw
from tests.bench.peers import tally
from tests.bench.peers.care import OUTPUTS, Care, Sent
from tests.bench.peers.task import ALERTS, Task, told

_KEY = b"r"
"""A customer's one value in the store."""


def main() -> None:
    task = told()
    app = Application(
        broker_address=task.bootstrap,
        consumer_group=task.app,
        auto_offset_reset="earliest",
        commit_interval=task.commit_s,
        state_dir=task.folder,
        processing_guarantee="at-least-once"
        if task.guarantee == "at-least-once"
        else "exactly-once",
        consumer_extra_config={"fetch.queue.backoff.ms": 5, "queued.min.messages": 100_000},
        producer_extra_config={"linger.ms": 20, "queue.buffering.max.messages": 1_000_000},
        loglevel="WARNING",
    )
    if task.workload == "tiny":
        _tiny(app, task)
    else:
        _bank(app, task)
    app.run()


def _tiny(app: Application, task: Task) -> None:
    (name,) = task.topics
    source = app.topic(name, key_deserializer="bytes", value_deserializer="bytes")
    alerts = app.topic(ALERTS, key_serializer="bytes", value_serializer="bytes")

    def step(value: bytes, key: bytes, _timestamp: int, _headers: Any, state: State) -> Any:
        transfer = tally.parse(value)
        packed, count, total, large = tally.add(state.get_bytes(_KEY) or tally.NOTHING, transfer)
        state.set_bytes(_KEY, packed)
        return tally.alert(key.decode(), transfer, count, total) if large else None

    frame = app.dataframe(source).apply(step, stateful=True, metadata=True)
    frame = frame.filter(lambda made: made is not None)
    frame.to_topic(alerts)


class _Body(Serializer):
    """Of a topic, a key and a value, the value."""

    def __call__(self, value: Sent, ctx: Any) -> bytes:
        return value[2]


def _bank(app: Application, task: Task) -> None:
    care = Care(task)
    outputs = {
        name: app.topic(name, key_serializer="bytes", value_serializer=_Body()) for name in OUTPUTS
    }
    frames = [
        app.dataframe(app.topic(name, key_deserializer="bytes", value_deserializer="bytes"))
        for name in task.topics
    ]
    frame = reduce(lambda one, other: one.concat(other), frames)

    def step(value: bytes, key: bytes, _timestamp: int, _headers: Any, state: State) -> list[Sent]:
        place = message_context()
        raw = Raw(place.topic, place.partition, place.offset, key, value)
        stored, made = care.one(raw, state.get_bytes(_KEY))
        if stored is not None:
            state.set_bytes(_KEY, stored)
        return made

    frame = frame.apply(step, stateful=True, expand=True, metadata=True)
    frame.to_topic(lambda one, *_: outputs[one[0]])


if __name__ == "__main__":
    main()
