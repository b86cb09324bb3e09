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
_TIMEOUT_S = 60.0
_TRIES = 6
"""Stock Faust leaves out the first events that it fetched in about every third run, and commits no
further."""
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
    """Contender → how many effects it sent; raises AssertionError where they are not the same."""
    said: dict[str, Said] = {}
    with ground_of(PARTITIONS, workload) as ground:
        for one in present(workload, (), notes):
            said[one.name] = _complete(one, workload, ground, notes)
            say(f"{workload.name}: {one.title} ({one.option}) sent {len(said[one.name]):,} effects")
    reference = said["ours"]
    assert reference, "ours says something"
    for name, ids in said.items():
        assert ids == reference, (
            f"{workload.name}: {name} sent {len(ids - reference)} effects that ours did not, and "
            f"not {len(reference - ids)} that ours did"
        )
    return {name: len(ids) for name, ids in said.items()}


def _complete(contender: Contender, workload: Workload, ground: Ground, notes: list[str]) -> Said:
    """A peer gets more tries, ours does not. Every run that was not complete is told."""
    tries = 1 if contender is OURS else _TRIES
    for number in range(1, tries + 1):
        try:
            return _run(contender, workload, ground)
        except StuckError as error:
            notes.append(f"{workload.name}: {contender.title}, try {number} of {tries}: {error}")
            if number == tries:
                raise
    raise AssertionError("there is a last try")


def _run(contender: Contender, workload: Workload, ground: Ground) -> Said:
    before = _ends(ground)
    with launched(contender, workload, ground) as it:
        deadline = time.monotonic() + _TIMEOUT_S
        while it.progress.count() < len(workload.messages):
            if it.process.poll() is not None or time.monotonic() > deadline:
                raise StuckError(
                    f"it stands at {it.progress.count():,} of {len(workload.messages):,} messages"
                )
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
