"""Whether all contenders do the same work: each runs a small backlog to its end, and what it says
is compared. All of the bank's events go through one topic here, so that there is one order.
Relations are left out: ours alone tells them to the other customer."""

import time
from collections.abc import Callable

import msgspec
from confluent_kafka import Consumer, TopicPartition

from agents.librdkafka import reader_config
from streams.mirror import MIRRORED
from tests.bench.throughput.contenders import OURS, Contender
from tests.bench.throughput.ground import Ground
from tests.bench.throughput.launch import launched
from tests.bench.throughput.measure import GroundOf, Say, present
from tests.bench.throughput.progress import end_of
from tests.bench.throughput.window import StuckError
from tests.bench.throughput.workload import Message, Workload

PARTITIONS = 4
_TOPICS = ("vip.tasks", "vip.alerts", "vip.profiles")
_STANDS_S = 20.0
"""Whoever commits nothing for so long has ended, with all or without."""
_TRIES = 4
"""Stock Faust leaves out the first events that it fetched, in every third run or, on a quick
machine, in all: then it is left out, and said."""
_SETTLE_S = 1.5
"""After the last commit: Bytewax tells of work, not of commits."""

Said = set[str]


def on_one_topic(workload: Workload) -> Workload:
    topic = workload.topics[0]
    messages = [one._replace(topic=topic) for one in workload.messages if not _mirrored(one)]
    return workload._replace(messages=messages, topics=[topic])


def _mirrored(message: Message) -> bool:
    try:
        return msgspec.json.decode(message.value)["type"] in MIRRORED
    except (msgspec.DecodeError, KeyError, TypeError):
        return False  # it is broken, which is to be found by all


def outputs(workload: Workload, ground_of: GroundOf, say: Say, notes: list[str]) -> dict[str, int]:
    """Contender → how many effects it sent, of those that went through all; raises AssertionError
    where they are not the same, StuckError if ours did not go through all."""
    said: dict[str, Said] = {}
    with ground_of(PARTITIONS, workload) as ground:
        for one in present(workload, (), notes):
            who = f"{workload.name}: {one.title} ({one.option})"
            complete = _complete(one, workload, ground, notes)
            if complete is None:
                say(f"{who} is not compared: it went through all in none of {_TRIES} tries")
                continue
            said[one.name] = complete
            say(f"{who} sent {len(complete):,} effects")
    reference = said["ours"]
    assert reference, "ours says something"
    for name, ids in said.items():
        assert ids == reference, (
            f"{workload.name}: {name} sent {len(ids - reference)} effects that ours did not, and "
            f"not {len(reference - ids)} that ours did"
        )
    return {name: len(ids) for name, ids in said.items()}


def _complete(
    contender: Contender, workload: Workload, ground: Ground, notes: list[str]
) -> Said | None:
    """None of a peer that goes through all in none of its tries; ours has one. Every run that was
    not complete is told."""
    tries = 1 if contender is OURS else _TRIES
    for number in range(1, tries + 1):
        try:
            return _run(contender, workload, ground)
        except StuckError as error:
            notes.append(f"{workload.name}: {contender.title}, try {number} of {tries}: {error}")
            if contender is OURS:
                raise
    return None


def _run(contender: Contender, workload: Workload, ground: Ground) -> Said:
    before = _ends(ground)
    with launched(contender, workload, ground) as it:
        count, moved = -1, time.monotonic()
        while count < len(workload.messages):
            if (now := it.progress.count()) != count:
                count, moved = now, time.monotonic()
            elif it.process.poll() is not None or time.monotonic() - moved > _STANDS_S:
                raise StuckError(f"it stands at {count:,} of {len(workload.messages):,} messages")
            time.sleep(0.05)
        time.sleep(_SETTLE_S)
    return set(_ids(ground, before, _cause if workload.name == "tiny" else _id))


def _cause(value: bytes) -> str:
    """The event that made an alert; peers write their own kind of alert."""
    cause = msgspec.json.decode(value)["data"]["cause"]
    return str(cause["id"] if isinstance(cause, dict) else cause)


def _id(value: bytes) -> str:
    return str(msgspec.json.decode(value)["id"])


def _places() -> list[TopicPartition]:
    return [TopicPartition(topic, n) for topic in _TOPICS for n in range(PARTITIONS)]


def _reader(ground: Ground) -> Consumer:
    config = reader_config(ground.settings.kafka, "vipcare-bench-outputs")
    return Consumer({**config, "isolation.level": "read_committed"})


def _ends(ground: Ground) -> dict[tuple[str, int], int]:
    reader = _reader(ground)
    ends = {(one.topic, one.partition): end_of(reader, one) for one in _places()}
    reader.close()
    return ends


def _ids(
    ground: Ground, before: dict[tuple[str, int], int], read: Callable[[bytes], str]
) -> list[str]:
    """Of what was sent since; a tiny peer's effects are its alerts."""
    after = _ends(ground)
    reader = _reader(ground)
    found: list[str] = []
    for (topic, number), start in before.items():
        if start == (end := after[topic, number]):
            continue
        if read is _cause and topic != "vip.alerts":
            continue
        reader.assign([TopicPartition(topic, number, start)])
        while reader.position([TopicPartition(topic, number)])[0].offset < end:
            found += [
                read(one.value() or b"") for one in reader.consume(5_000, 0.2) if not one.error()
            ]
    reader.close()
    return found
