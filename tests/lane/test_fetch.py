"""The fetch: a chunk is one message, only where there is room, never past what was taken."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import aiokafka
import pytest
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import Assignment, TopicPartitionState
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents.lane import consumer_thread
from agents.lane.consumer_thread import FETCH_MAX_WAIT_MS
from agents.lane.fetches import FetchState
from agents.lane.transport import LITTLE, Consumer
from tests.lane.test_overrides import CHANGELOG, INPUT, source_of


def test_stock_getmany_hands_over_single_messages() -> None:
    source = source_of(BaseConsumer.getmany)
    assert "yield tp, to_message(tp, record)" in source


def test_the_fetch_loop_compares_a_message_with_the_read_offset() -> None:
    """It checks a chunk's last offset alone, hence the filter within a chunk."""
    source = source_of(BaseConsumer._drain_messages)
    assert "if r_offset is None or offset >= r_offset:" in source
    assert "set_read_offset(tp, offset)" in source
    assert "ait = cast(AsyncIterator, getmany(timeout=1.0))" in source


def test_an_empty_set_of_partitions_means_all_to_aiokafka() -> None:
    assert "if partitions and tp not in partitions:" in source_of(Fetcher.fetched_records)


class Fetched:
    """A consumer whose fetches are given; the rest is the lane's."""

    def __init__(self, consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.consumer = consumer
        self.asked: list[set[TP]] = []
        self.answer: dict[TP, list[Any]] = {}
        self.position: dict[TP, int] = {}
        self.end: dict[TP, int] = {}
        self.roomy = True
        consumer._active_partitions = {INPUT, CHANGELOG}
        consumer.flow_active = True
        monkeypatch.setattr(consumer, "_getmany", self._getmany)
        monkeypatch.setattr(
            consumer, "fetch_state", lambda tp: FetchState(self.position.get(tp), self.end.get(tp))
        )
        monkeypatch.setattr(consumer.lane, "room", lambda tp: self.roomy)
        self.offered: list[tuple[int, list[bytes], int, int | None]] = []
        monkeypatch.setattr(consumer.lane.copier, "room", lambda number: True)
        monkeypatch.setattr(consumer.lane.copier, "offer", self._offer)

    async def _getmany(self, active_partitions: set[TP], timeout: float) -> dict[TP, list[Any]]:
        self.asked.append(active_partitions)
        return self.answer

    def _offer(self, number: int, changes: Any, offset: int, end: int | None) -> None:
        self.offered.append((number, [key for key, _ in changes], offset, end))

    def chunks(self) -> list[tuple[TP, int, list[int]]]:
        async def collect() -> list[tuple[TP, int, list[int]]]:
            return [
                (tp, chunk.offset, [record.offset for record in cast(Any, chunk.value)])
                async for tp, chunk in self.consumer.getmany(1.0)
            ]

        return asyncio.run(collect())


@pytest.fixture
def fetched(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> Fetched:
    return Fetched(consumer, monkeypatch)


def records(*offsets: int) -> list[Any]:
    return [SimpleNamespace(offset=offset, key=b"k", value=b"v", timestamp=0) for offset in offsets]


def test_a_chunk_is_one_message_with_the_last_offset(fetched: Fetched) -> None:
    fetched.answer = {INPUT: records(3, 4, 7)}
    assert fetched.chunks() == [(INPUT, 7, [3, 4, 7])]


def test_records_below_the_read_offset_are_left_out(fetched: Fetched) -> None:
    fetched.consumer._read_offset[INPUT] = 4
    fetched.answer = {INPUT: records(3, 4, 7)}
    assert fetched.chunks() == [(INPUT, 7, [4, 7])]


def test_a_piece_of_a_changelog_is_for_the_copier_and_goes_past_the_marker_behind_it(
    fetched: Fetched,
) -> None:
    fetched.answer = {CHANGELOG: records(3, 4)}
    fetched.position[CHANGELOG] = 6
    fetched.end[CHANGELOG] = 9
    assert fetched.chunks() == []
    assert fetched.offered == [(0, [b"k", b"k"], 5, 9)]


def test_a_changelog_that_ends_in_markers_gives_an_empty_piece_once(fetched: Fetched) -> None:
    fetched.position[CHANGELOG] = 6
    fetched.chunks()
    fetched.chunks()
    assert fetched.offered == [(0, [], 5, None)]


def test_faust_hears_of_a_changelog_when_it_is_in_the_copy(
    fetched: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told again until it knows: a message to its recovery may be dropped."""
    known = cast(Any, fetched.consumer.app.tables).recovery.active_offsets
    monkeypatch.setattr(fetched.consumer.lane.copier, "restored", lambda: [(0, 5)])
    known[CHANGELOG] = 5
    assert fetched.chunks() == []
    known[CHANGELOG] = None
    assert fetched.chunks() == [(CHANGELOG, 5, [])]
    fetched.roomy = False
    fetched.consumer._active_partitions = {INPUT}
    assert fetched.chunks() == [(CHANGELOG, 5, [])], "where nothing is to be asked for too"


def test_only_partitions_with_room_are_asked_for_and_never_none(fetched: Fetched) -> None:
    fetched.chunks()
    fetched.roomy = False
    fetched.chunks()
    fetched.consumer._active_partitions = {INPUT}
    fetched.chunks()
    assert fetched.asked == [{INPUT, CHANGELOG}, {CHANGELOG}]


def test_it_sleeps_after_every_second_fetch_that_brings_little(
    fetched: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What aiokafka fetched as a sleep began holds up its next fetch, which must not wait again."""
    slept: list[int] = []

    async def sleep(_: float) -> None:
        slept.append(len(fetched.asked))

    monkeypatch.setattr("agents.lane.transport.asyncio.sleep", sleep)
    for count in (1, 1, 1, LITTLE, 1, 1):
        fetched.answer = {INPUT: records(*range(count))}
        fetched.chunks()
    assert slept == [1, 3, 5]


def test_chunks_of_an_assignment_that_ended_are_dropped(fetched: Fetched) -> None:
    fetched.answer = {INPUT: records(1), CHANGELOG: records(2)}

    async def revoke_after_the_first() -> int:
        seen = 0
        async for _ in fetched.consumer.getmany(1.0):
            seen += 1
            fetched.consumer.app.consumer_generation_id += 1
        return seen

    assert asyncio.run(revoke_after_the_first()) == 1


def test_the_consumer_reads_committed_and_waits_briefly(consumer: Consumer) -> None:
    async def make() -> aiokafka.AIOKafkaConsumer:
        return consumer._thread._create_worker_consumer(consumer.transport)

    made = asyncio.run(make())
    assert made._isolation_level == "read_committed"
    assert made._fetch_max_wait_ms == FETCH_MAX_WAIT_MS
    source = source_of(aiokafka.AIOKafkaConsumer.start)
    assert "isolation_level=self._isolation_level" in source
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in source


def test_stock_would_read_uncommitted_and_wait_long() -> None:
    source = source_of(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert 'isolation_level: str = "read_uncommitted"' in source
    assert "fetch_max_wait_ms=1500" in source


def test_aiokafka_keeps_what_behind_and_lag_read() -> None:
    async def check() -> None:
        state = TopicPartitionState(Assignment([aiokafka.TopicPartition(*INPUT)]))
        assert state.lso is None
        assert state.highwater is None
        assert not state.has_valid_position
        state.seek(7)
        assert state.position == 7

    asyncio.run(check())


def test_a_topic_is_caught_up_when_all_up_to_its_end_was_taken(
    fetched: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was fetched waits in Faust's queues: until it is taken, nothing is known."""
    fetches = fetched.consumer.fetches
    assert fetches.caught_up(INPUT, 0) is None
    fetched.answer = {INPUT: records(3, 4, 7)}
    monkeypatch.setattr(fetched.consumer._thread, "seen", {INPUT: FetchState(9, 9, 1_000)})
    fetched.chunks()
    assert fetches.caught_up(INPUT, 3) is None
    assert fetches.caught_up(INPUT, 8) == 1_000
    fetches.clear()
    assert fetches.caught_up(INPUT, 8) is None


def test_a_topic_is_behind_until_all_that_passed_the_fetch_was_taken(fetched: Fetched) -> None:
    consumer, thread = fetched.consumer, fetched.consumer._thread
    fetched.position, fetched.end = {INPUT: 3}, {INPUT: 9}
    assert consumer.behind(INPUT, 3)
    # The consumer's thread passed the end, and what it brings is on its way.
    fetched.position = {INPUT: 9}
    assert consumer.behind(INPUT, 3)
    thread.seen = {INPUT: FetchState(9, 9, 1_000)}
    fetched.answer = {INPUT: records(3, 4, 7)}
    fetched.chunks()
    assert consumer.behind(INPUT, 3)
    assert not consumer.behind(INPUT, 8)
    # A marker comes, and is passed: nothing of it is on its way, but who knows before a look.
    fetched.position, fetched.end = {INPUT: 10}, {INPUT: 10}
    assert consumer.behind(INPUT, 8)
    fetched.answer, thread.seen = {}, {INPUT: FetchState(10, 10, 1_050)}
    fetched.chunks()
    assert not consumer.behind(INPUT, 8)
    consumer.fetches.clear()
    assert consumer.behind(INPUT, 8)


def test_how_a_partition_stands_is_what_kafka_said_last(consumer: Consumer) -> None:
    thread, tp = consumer._thread, aiokafka.TopicPartition(*INPUT)

    async def check() -> None:
        state = TopicPartitionState(Assignment([tp]))
        thread.partition_state = lambda _: state  # type: ignore[method-assign]  # no broker here
        assert thread.fetch_state(INPUT) == (None, None, None)
        state.await_reset(0)
        state.reset_to(5)
        state.lso, state.timestamp = 6, 1_000
        assert thread.fetch_state(INPUT) == (5, 6, 1_000)
        assert thread.fetch_state(INPUT).more
        state.consumed_to(6)
        assert not thread.fetch_state(INPUT).more

    asyncio.run(check())


@pytest.mark.parametrize(("looked", "everything"), [(0.0, True), (float("inf"), False)])
def test_a_fetch_looks_at_what_it_brought_and_now_and_then_at_all(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch, looked: float, everything: bool
) -> None:
    thread, other = consumer._thread, TP("bank.card", 0)
    brought = {aiokafka.TopicPartition(*INPUT): records(3)}
    thread._looked = looked
    monkeypatch.setattr(thread, "fetch_state", lambda tp: FetchState(4))

    async def fetch(*_: Any) -> Any:
        return brought

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    client = cast(Any, SimpleNamespace(assignment=lambda: {INPUT, other}))

    assert asyncio.run(thread._fetch_records(client, {INPUT})) is brought
    assert set(thread.seen) == ({INPUT, other} if everything else {INPUT})


def test_a_place_that_the_log_lost_ends_the_process_and_the_first_one_is_looked_for(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(consumer_thread, "die", lambda _, message: told.append(message))

    async def check() -> None:
        thread, tp = consumer._thread, aiokafka.TopicPartition(*INPUT)
        state = TopicPartitionState(Assignment([tp]))
        thread.partition_state = lambda _: state  # type: ignore[method-assign]  # no broker here
        await thread._hold([INPUT])
        state.await_reset(0)
        assert state.awaiting_reset
        assert not told
        state.reset_to(5)
        state.await_reset(0)  # as aiokafka does when Kafka says that an offset is out of range
        assert "offset 5 was to be read next" in told[0]

    asyncio.run(check())
