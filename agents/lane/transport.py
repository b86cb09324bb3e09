"""The batch lane as a transport of Faust: its consumer hands over one message per chunk.

A chunk is what was fetched of one partition at once; the message's value is the list of records
as aiokafka made them, its offset the last one's. Faust's groups, assignment, tables, recovery and
worker stay as they are. Each override is held to faust-streaming 0.15.3 and aiokafka 0.14.0 by a
test of its own in tests/lane/test_overrides.py or test_fetch.py.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import aiokafka
from aiokafka.structs import ConsumerRecord
from faust import Schema
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage, Message

from agents.fail_points import fail_point
from agents.faults import Fault, die
from agents.lane.fetches import Fetches
from agents.lane.membership import watch_membership

if TYPE_CHECKING:
    from agents.lane.lane import Lane

LOOK_EVERY_S = 0.05
"""How often a fetch looks which partitions it has reached the ends of: there may be hundreds."""
FETCH_MAX_WAIT_MS = 100
"""Faust's 1.5 s would also delay list-offset calls, which queue behind a fetch."""
ANSWER_S = 60.0
"""Shorter than Faust's `broker_request_timeout` of 90 s, see `in_time`."""
LITTLE = 200
"""Two fetches in a row of fewer records are followed by a short sleep: half the CPU and half the
transactions at a low rate, for a few milliseconds. Two, because the first one only takes what
aiokafka fetched as the sleep began: it fetches nothing more until that is taken, so that the rest
of what came in meanwhile would wait for a second sleep."""
_LITTLE_S = 0.01
_NO_ROOM_S = 0.005
_FETCH_S = 0.05


class FetchState(NamedTuple):
    """How the fetch of a partition stands."""

    place: int | None
    """The next offset to be fetched."""
    more: bool
    """Kafka has more; true if unknown."""
    answer: int | None
    """When a fetch was last answered, real milliseconds."""


class ChunkSchema(Schema[Any, Any]):
    """Hands over keys and values as they are: a chunk's value is its list of records."""

    def loads_key(self, app: AppT, message: Message, **_: Any) -> Any:  # noqa: ARG002  # the hook's
        return message.key

    def loads_value(self, app: AppT, message: Message, **_: Any) -> Any:  # noqa: ARG002  # the hook's
        return message.value


@asynccontextmanager
async def in_time(doing: str) -> AsyncIterator[None]:
    """Kafka must answer; Faust would take a timeout for the end of its service, and stand still."""
    try:
        async with asyncio.timeout(ANSWER_S):
            yield
    except TimeoutError:
        die(Fault.KAFKA, f"{doing}: Kafka does not answer in {ANSWER_S:g} s")


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """aiokafka's consumer, on its own thread and loop."""

    consumer: "Consumer"
    reached: Mapping[TP, int] = MappingProxyType({})
    """After a fetch: the partitions of which nothing was left, and when that was told."""
    _looked = 0.0

    async def on_start(self) -> None:
        await super().on_start()
        if instance := self.app.conf.consumer_group_instance_id:
            watch_membership(self._ensure_consumer()._coordinator, instance)

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        consumer._isolation_level = "read_committed"
        return consumer

    async def logs(self, tps: Collection[TP]) -> tuple[dict[TP, int], dict[TP, int]]:
        """Where partitions begin, and where they end for this consumer."""
        begins, ends = await self.call_thread(self._logs, tps)
        return begins, ends

    async def _logs(self, tps: Collection[TP]) -> tuple[dict[TP, int], dict[TP, int]]:
        # Both queue behind a fetch that waits: asked together they wait for one alone.
        consumer = self._ensure_consumer()
        begins, ends = await asyncio.gather(
            consumer.beginning_offsets(tps), consumer.end_offsets(tps)
        )
        return ({tp: begins[tp] for tp in tps}, {tp: ends[tp] for tp in tps})

    async def committed(self, tps: Collection[TP]) -> dict[TP, int | None]:
        """The group's committed offsets, None where there is none."""
        return cast(dict[TP, int | None], await self.call_thread(self._committed, tps))

    async def _committed(self, tps: Collection[TP]) -> dict[TP, int | None]:
        consumer = self._ensure_consumer()
        found = await asyncio.gather(*(consumer.committed(_plain(tp)) for tp in tps))
        return dict(zip(tps, found, strict=True))

    async def stop_fetching(self, tps: Sequence[TP]) -> None:
        """Until the next assignment: what this worker writes itself it need not read again."""
        await self.call_thread(self._stop_fetching, tps)

    async def _stop_fetching(self, tps: Sequence[TP]) -> None:
        self._ensure_consumer().pause(*map(_plain, tps))

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # the hook's signature
        max_records: int | None = None,
    ) -> Any:
        fetched = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        now = time.monotonic()
        if now - self._looked >= LOOK_EVERY_S:
            self._looked = now
            self.reached = self._at_their_ends(consumer)
        return fetched

    def _at_their_ends(self, consumer: aiokafka.AIOKafkaConsumer) -> dict[TP, int]:
        """The partitions of which nothing is left to fetch, and when Kafka last said so (ms)."""
        found = {}
        for tp in map(ensure_TP, consumer.assignment()):
            state = self.partition_state(tp)
            if state is not None and state.has_valid_position and state.timestamp is not None:
                end = state.lso if self.consumer.lane.transactions else state.highwater
                if end is not None and state.position >= end:
                    found[tp] = int(state.timestamp)
        return found

    def partition_state(self, tp: TP) -> Any:
        """aiokafka's state of an assigned partition (position, highwater, lso), or None."""
        if self._consumer is None:
            return None
        subscription = self._consumer._subscription.subscription
        if subscription is None or subscription.assignment is None:
            return None
        return subscription.assignment.state_value(_plain(tp))


class Consumer(driver.Consumer):
    """Faust's consumer with chunks, its own offsets, and the lane behind it."""

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lane: Lane = cast(Any, self.app).lane
        self._tables = cast(Any, self.app.tables)
        self.fetches = Fetches()
        self._changelog_read: dict[TP, int] = {}
        self._earliest: dict[TP, int] = {}
        self._slept = False
        self.handed: dict[TP, int] = {}
        """Input partition → where what was handed to the agent ends; for the watchdog."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- offsets: the runners alone advance them ------------------------------------------------
    def ack(self, message: Message) -> bool:
        """The intake took the chunk over; that says nothing about its being applied."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def _new_offset(self, tp: TP) -> int | None:
        return self.lane.offsets.get(tp)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (
            tp for tp in self.lane.offsets if topics is None or tp in topics or tp.topic in topics
        )

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps (markers, compacted records) need no bookkeeping where only ends count."""

    # -- fetching -------------------------------------------------------------------------------
    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """One message for each partition that has records, asking only where there is room."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        for tp, offset in self._restored():
            yield tp, self._message(tp, offset, (), 0)
        wanted = self._wanted()
        if not wanted:
            # Asking for an empty set would mean asking for everything.
            await asyncio.sleep(_NO_ROOM_S)
            return
        generation = self.app.consumer_generation_id
        # A fetch that waits does not notice that another partition got room: wait briefly.
        fetched = await self._getmany(wanted, min(timeout, _FETCH_S))
        if self.app.consumer_generation_id == generation:
            self.fetches.note(fetched, self._thread.reached)
        for tp, records in self._with_progress(fetched, wanted):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return  # the partitions were revoked; they will be sought anew
            if self._is_changelog_tp(tp):
                self._copy(tp, records)
            else:
                yield tp, self._to_chunk(tp, records)
        await self._rest(sum(map(len, fetched.values())))

    async def _rest(self, count: int) -> None:
        """Sleep after the second of two fetches that brought little."""
        self._slept = count < LITTLE and not self._slept
        if self._slept:
            await asyncio.sleep(_LITTLE_S)

    def _wanted(self) -> set[TP]:
        return {
            tp
            for tp in self._get_active_partitions()
            if (
                self.lane.copier.room(tp.partition)
                if self._is_changelog_tp(tp)
                else self.lane.room(tp)
            )
        }

    def _with_progress(
        self, fetched: Mapping[Any, Sequence[ConsumerRecord]], wanted: Iterable[TP]
    ) -> Iterator[tuple[TP, Sequence[ConsumerRecord]]]:
        """What was fetched, and an empty chunk for a changelog that moved past markers alone."""
        for tp, records in fetched.items():
            yield ensure_TP(tp), records
        for tp in wanted:
            if tp not in fetched and self._is_changelog_tp(tp):
                moved = self._place(tp)
                if moved is not None and moved > self._changelog_read.get(tp, -1):
                    yield tp, ()

    def _restored(self) -> list[tuple[TP, int]]:
        """How far restored copies have come, told again until Faust's recovery knows it."""
        known = self._tables.recovery.active_offsets
        found = []
        for number, offset in self.lane.copier.restored():
            tp = TP(self.lane.wiring.changelog, number)
            told = known.get(tp)
            if told is None or offset > told:
                found.append((tp, offset))
        return found

    def _place(self, tp: TP) -> int | None:
        """The next offset to be fetched: past markers and aborted records, unlike a record's."""
        state = self._thread.partition_state(tp)
        if state is None or not state.has_valid_position:
            return None
        return int(state.position)

    def _copy(self, tp: TP, records: Sequence[ConsumerRecord]) -> None:
        """Hand a piece of a changelog, up to the markers behind it, to its copy."""
        place = self._place(tp)
        offset = max(records[-1].offset if records else -1, -1 if place is None else place - 1)
        self._changelog_read[tp] = offset + 1
        changes = [(record.key, record.value) for record in records]
        self.lane.copier.offer(tp.partition, changes, offset, self._end(tp))

    def _to_chunk(self, tp: TP, records: Sequence[ConsumerRecord]) -> ConsumerMessage:
        read_from = self._read_offset[tp] or 0
        kept = [record for record in records if record.offset >= read_from]
        self.handed[tp] = records[-1].offset + 1
        return self._message(tp, records[-1].offset, kept, records[-1].timestamp)

    def _message(
        self, tp: TP, offset: int, records: Sequence[ConsumerRecord], timestamp: int
    ) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            offset,
            timestamp / 1000,
            0,
            [],
            None,
            cast(Any, records),
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _end(self, tp: TP) -> int | None:
        """Where a partition ends for this worker, as of its last fetch; None if unknown."""
        state = self._thread.partition_state(tp)
        if state is None:
            return None
        return cast(int | None, state.lso if self.lane.transactions else state.highwater)

    def behind(self, tp: TP) -> bool:
        """Whether Kafka has more of a partition than was fetched; true if unknown."""
        state = self._thread.partition_state(tp)
        if state is None or not state.has_valid_position:
            return True
        end = state.lso if self.lane.transactions else state.highwater
        return end is None or state.position < end

    def fetch_state(self, tp: TP) -> FetchState:
        """How the fetch of a partition stands; may be called from any thread."""
        state = self._thread.partition_state(tp)
        if state is None:
            return FetchState(None, more=True, answer=None)
        place = state._position  # once: another thread may reset it between two looks
        end = state.lso if self.lane.transactions else state.highwater
        return FetchState(place, place is None or end is None or place < end, state.timestamp)

    def lag(self, tp: TP) -> int | None:
        """Messages from the committed position to the end; None if unknown."""
        state, following = self._thread.partition_state(tp), self.lane.offsets.get(tp)
        if state is None or state.highwater is None or following is None:
            return None
        return max(0, int(state.highwater) - following)

    # -- assignments ----------------------------------------------------------------------------
    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The ends of the changelogs; of this worker's own, after earlier owners were fenced.

        Recovery asks for its own first, in a task of its own where time may pass (heartbeats go
        on), and for the standbys' when its own are restored.
        """
        if set(partitions) == self._tables.recovery.active_tps:
            return await self._take_over()
        async with in_time("reading the ends of the standbys' changelogs"):
            return await super().highwaters(*partitions)

    async def _take_over(self) -> Mapping[TP, int]:
        recovery = self._tables.recovery
        actives, standbys = set(recovery.active_tps), set(recovery.standby_tps)
        numbers = sorted(tp.partition for tp in actives)
        async with in_time(f"taking over partitions {numbers}"):
            await self.lane.take_over(numbers)
            both = actives | standbys
            earliest, ends = await self._thread.logs(both)
            self._earliest = earliest
        copied = self.lane.follow(
            {tp.partition for tp in standbys},
            {tp.partition: offset for tp, offset in earliest.items()},
            {tp.partition: offset for tp, offset in ends.items()},
        )
        self._changelog_read = {tp: _after(copied[tp.partition]) for tp in both}
        for tp in both:
            offsets = recovery.active_offsets if tp in actives else recovery.standby_offsets
            offsets[tp] = copied[tp.partition]
        return {tp: ends[tp] for tp in actives}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Asked by recovery for the changelogs, whose beginnings the take-over has just read."""
        if self._earliest.keys() >= set(partitions):
            return {tp: self._earliest[tp] for tp in partitions}
        return await super().earliest_offsets(*partitions)  # a rebalance came in between

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        async with in_time("seeking"):
            await super().seek_wait(partitions)

    async def perform_seek(self) -> None:
        """Every input to its position, which the restored changelog holds."""
        async with in_time("seeking the inputs to their positions"):
            await self._seek_to_positions()

    async def _seek_to_positions(self) -> None:
        fail_point("seeking")
        assigned = self.assignment()
        inputs = sorted(tp for tp in assigned if not self._is_changelog_tp(tp))
        restored = self._tables.recovery.active_tps.intersection(assigned)
        if restored:
            await self._thread.stop_fetching(sorted(restored))
        if not inputs:
            return  # nothing but standbys
        (earliest, ends), committed = await asyncio.gather(
            self._thread.logs(inputs), self._thread.committed(inputs)
        )
        if self._revoked(inputs):
            return
        logs = {tp: self.lane.log(tp.topic, earliest[tp], ends[tp], committed[tp]) for tp in inputs}
        positions = self.lane.places(logs)
        self.fetches.clear()
        await self.seek_wait({tp: positions[tp.partition].ends()[tp.topic] for tp in inputs})
        if self._revoked(inputs):
            return
        self._committed_offset.update(committed)
        fail_point("sought")
        self.lane.begin(positions)
        fail_point("begun")

    def _revoked(self, inputs: Iterable[TP]) -> bool:
        """Whether another rebalance came in between; its own recovery will seek again."""
        return {tp.partition for tp in inputs} != set(self.lane.partitions)

    async def wait_empty(self) -> None:
        """On revoke and on stop, when no more messages come in: drain, and commit the offsets."""
        await self.lane.drain()
        self._unacked_messages.clear()
        await self.commit_and_end_transactions()
        fail_point("offsets-committed")
        self.lane.offsets.clear()

    async def verify_all_partitions_active(self) -> None:
        """Faust's livelock detector counts single messages; the lane's metrics tell instead."""


class Transport(driver.Transport):
    Consumer = Consumer


def _plain(tp: TP) -> aiokafka.TopicPartition:
    return aiokafka.TopicPartition(tp.topic, tp.partition)


def _after(offset: int | None) -> int:
    return 0 if offset is None else offset + 1
