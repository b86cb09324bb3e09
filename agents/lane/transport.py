"""The batch lane as a transport of Faust: its consumer hands over one message per chunk.

A chunk is what was fetched of one partition at once; the message's value is the list of records
as aiokafka made them, its offset the last one's. Faust's groups, assignment, tables, recovery and
worker stay as they are. Each override is held to faust-streaming 0.15.3 and aiokafka 0.14.0 by a
test of its own in tests/lane/test_overrides.py or test_fetch.py.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from aiokafka.structs import ConsumerRecord
from faust import Schema
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage, Message

from agents.fail_points import fail_point
from agents.lane.consumer_thread import ConsumerThread, in_time
from agents.lane.fetches import Fetches, FetchState

if TYPE_CHECKING:
    from agents.lane.lane import Lane

LITTLE = 200
"""Two fetches in a row of fewer records are followed by a short sleep: half the CPU and half the
transactions at a low rate, for a few milliseconds. Two, because the first one only takes what
aiokafka fetched as the sleep began: it fetches nothing more until that is taken, so that the rest
of what came in meanwhile would wait for a second sleep."""
_LITTLE_S = 0.01
_NO_ROOM_S = 0.005
_FETCH_S = 0.05


class ChunkSchema(Schema[Any, Any]):
    """Hands over keys and values as they are: a chunk's value is its list of records."""

    def loads_key(self, app: AppT, message: Message, **_: Any) -> Any:  # noqa: ARG002  # the hook's
        return message.key

    def loads_value(self, app: AppT, message: Message, **_: Any) -> Any:  # noqa: ARG002  # the hook's
        return message.value


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
            self.fetches.note(fetched, self._thread.seen)
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
                moved = self.fetch_state(tp).place
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

    def _copy(self, tp: TP, records: Sequence[ConsumerRecord]) -> None:
        """Hand a piece of a changelog, up to the markers behind it, to its copy."""
        state = self.fetch_state(tp)
        place = 0 if state.place is None else state.place
        offset = max(records[-1].offset if records else -1, place - 1)
        self._changelog_read[tp] = offset + 1
        changes = [(record.key, record.value) for record in records]
        self.lane.copier.offer(tp.partition, changes, offset, state.end)

    def _to_chunk(self, tp: TP, records: Sequence[ConsumerRecord]) -> ConsumerMessage:
        read_from = self._read_offset[tp] or 0
        kept = [record for record in records if record.offset >= read_from]
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

    def behind(self, tp: TP, taken: int) -> bool:
        """Whether there is more of a partition than was taken; true if unknown."""
        return self.fetches.behind(tp, taken, self.fetch_state(tp))

    def fetch_state(self, tp: TP) -> FetchState:
        """How the fetch of a partition stands; may be called from any thread."""
        return self._thread.fetch_state(tp)

    def lag(self, tp: TP) -> int | None:
        """Messages from the committed position to the end; None if unknown. Markers at the end
        are no messages: nothing is left once the fetch is past them and all it brought is taken."""
        state, following = self._thread.partition_state(tp), self.lane.offsets.get(tp)
        if state is None or state.highwater is None or following is None:
            return None
        place = self.fetch_state(tp).place
        if place is not None and place >= state.highwater and self.fetches.handed(tp) <= following:
            return 0
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
        await self._thread.hold(inputs)
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


def _after(offset: int | None) -> int:
    return 0 if offset is None else offset + 1
