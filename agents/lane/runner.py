"""The partition runner: one per partition number, fed by that partition of all inputs.

A chunk goes through these steps, in this order:

1. Take a chunk: the customers with timers due at the partition's time, a slice of those to be told
   of a broadcast, and one contiguous range of each topic, merged by (running maximum of event time
   within the range, topic, offset). While another topic of the partition is behind with nothing
   fetched yet, wait for it, up to `merge_wait`. A chunk ends at a count, at a byte limit, where a
   topic that is behind has nothing more, or after lingering; one that is not full waits for the
   commit under way, and rides in the next.
2. Step its timers, its slice, then its events, on the records in memory (streams/chunk.py). What is
   at or below the position was skipped when it came in. If most of a topic is refused, the process
   ends here (streams/refusals.py).
3. Begin a transaction; send the changed records and the new position (last) to the changelog,
   the position to the journal, effects and dead letters to their topics, all to this partition;
   and to other customers' partitions of `vip.internal` what they are told.
4. Commit the transaction. This is the commit point.
5. Write the records, the timer index and the changelog position to RocksDB in one WriteBatch. The
   local store is never ahead of the changelog.
6. Acknowledge the chunk, in order: unpin its records, advance the group's offsets. Those are for
   lag displays; after a restore every input is sought to its position.

Steps 3 to 5 run on the outbox's thread while the next chunk is taken and stepped here. A kill
before 4 leaves nothing that a `read_committed` reader sees; after 4 the position skips it.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import NamedTuple

import structlog
from faust.types import TP

from agents.cold_rules import Windows
from agents.fail_points import fail_point
from agents.faults import Fault, die, kind_of
from agents.lane.batch import batch_of, changed
from agents.lane.due import DueIndex, moves
from agents.lane.inbox import Inbox
from agents.lane.missing import Missing
from agents.lane.outbox import AbandonedError, Outbox, Sent
from agents.lane.records import Records
from agents.lane.refusing import refuse
from agents.lane.store import Store
from agents.lane.walking import Walking
from agents.lane.wiring import Wiring
from schemas.effects import Effect
from schemas.events import INTERNAL
from schemas.position import (
    POSITION_KEY,
    REACH_KEY,
    Position,
    Range,
    Refusals,
    Walk,
    encode_position,
    encode_reach,
)
from schemas.record import Record
from streams.broadcasts import Round, walked
from streams.chunk import Outcome, apply_chunk
from streams.context import Context
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.partition_time import Source, partition_time
from streams.reach import Reach
from streams.refusals import judge
from streams.timers import MAX_FIRED

MAX_IN_FLIGHT = 2
"""One chunk that commits, and one that is stepped and waits for it."""
_LOOK_AGAIN_S = 0.01
_LOOK_FOR_TIMERS_S = 1.0
_LOOK_FOR_RULES_S = 1.0

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What is left to know of one that is under way: its records may go meanwhile."""

    position: Position
    customers: Sequence[str]
    effects: Counter[type[Effect]]
    sent: "Future[Sent]"


class Progress(NamedTuple):
    """Where a runner stands at a moment."""

    committed: int
    """The number of its last committed position."""
    at_work: bool
    """Messages wait for their chunk, or a chunk for its commit."""
    refused: bool
    """Kafka has not taken yet what is to be committed, and is asked again."""


class Runner:
    """Runs one partition number from `begin` until `drain`."""

    def __init__(self, partition: int, store: Store, outbox: Outbox, wiring: Wiring) -> None:
        self.partition = partition
        self.store = store
        self.outbox = outbox
        self._wiring = wiring
        settings = wiring.settings
        self._inbox = Inbox(wiring.topics, settings.chunk_events, settings.chunk_bytes)
        self._missing = Missing(settings.merge_wait_ms / 1000)
        self._records = Records(partition, store, wiring.cache)
        self._due = DueIndex(store, self._records.next_due)
        self._walking = Walking(store, self._records.last_broadcast)
        self._reach = Reach({})
        self._changelog_id = ""
        self._position: Position | None = None
        self._fetched: dict[str, int] = {}
        self._in_flight: deque[_Chunk] = deque()
        self._wake = asyncio.Event()
        self._waiting_since: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    def begin(self, position: Position, changelog_id: str) -> None:
        """Start after `position`: every topic's next message is at the end of its range."""
        self._position = position
        self._changelog_id = changelog_id
        self._fetched = position.ends()
        self._reach = Reach(self.store.reach(position))
        self._task = asyncio.create_task(self._run(), name=f"runner-{self.partition}")
        self._task.add_done_callback(self._ended)

    def confirm(self) -> None:
        """The local copy did not become old while nothing happened: it lacks nothing."""
        if self._task is not None:
            self.store.confirm()

    def room(self, topic: str) -> bool:
        return self._task is not None and self._inbox.room(topic)

    def offer(self, topic: str, messages: Iterable[Raw]) -> None:
        """Take what was fetched of a topic; what is below the position is skipped."""
        following = self._fetched.get(topic)
        if following is None:
            return  # a chunk from before the assignment
        core = self._wiring.core
        entries = [read(raw, core) for raw in messages if raw.offset >= following]
        if entries:
            self._fetched[topic] = entries[-1].raw.offset + 1
            self._inbox.add(topic, entries)
            self._missing.came(topic)
            self._wake.set()

    def has(self, topic: str, offset: int) -> bool:
        """Whether everything of a topic below `offset` came in."""
        return self._fetched.get(topic, offset) >= offset

    def progress(self) -> Progress:
        """For the watchdog; may be called from any thread."""
        in_flight = len(self._in_flight)
        taken = self._position.number if self._position is not None else 0
        return Progress(
            committed=taken - in_flight,
            at_work=in_flight > 0 or not self._inbox.empty,
            refused=self.outbox.waits_for_kafka,
        )

    def windows(self) -> Windows:
        """For the watchdog, as above."""
        at = self._position.partition_time if self._position is not None else -1
        return Windows(self.partition, self._reach, at)

    async def drain(self, timeout_s: float) -> bool:
        """Stop taking chunks, let those under way end. False: they were given up."""
        if self._task is not None:
            self._task.remove_done_callback(self._ended)
            self._task.cancel()
        self._inbox.clear()
        self._fetched.clear()
        whole = await self.outbox.drain(timeout_s)
        self._in_flight.clear()
        return whole

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            die(Fault.CRASHED, f"partition {self.partition}: the runner raised {kind_of(error)}")

    async def _run(self) -> None:
        while True:
            pause = self._pause()
            if pause == 0:
                self._step()
                await asyncio.sleep(0)
            else:
                await self._woken(pause)

    async def _woken(self, seconds: float | None = None) -> None:
        """Until something changed, or so many seconds passed."""
        self._wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            if seconds is None:
                raise

    def _pause(self) -> float | None:
        """Seconds until a chunk may be taken: 0 is now, None is when something changed."""
        now, settings = self._loop.time(), self._wiring.settings
        if len(self._in_flight) >= MAX_IN_FLIGHT:
            return None
        if self._inbox.empty:
            waits = (self._until_due(), self._until_told(), self._until_ruled())
            return min((one for one in waits if one is not None), default=None)
        if self._waiting_since is None:
            self._waiting_since = now
        if self._wiring.cache.crowded:
            return _LOOK_AGAIN_S
        if self._in_flight and (not self._inbox.full or self._inbox.short(self._open())):
            return None
        if not self._inbox.full:
            left = self._waiting_since + settings.linger_ms / 1000 - now
            if left > 0:
                return left
        return self._until_whole(now)

    def _until_whole(self, now: float) -> float:
        """Seconds that the next chunk waits for topics that are behind."""
        left = self._missing.pause(self._behind(), self._inbox.held, now)
        if left > 0:
            return min(left, _LOOK_AGAIN_S)
        if without := self._missing.leave_out():
            logger.warning("goes_on_without_topics", partition=self.partition, topics=without)
        return 0

    def _until_due(self) -> float | None:
        """Seconds until timers may be due; 0 if some are, None if there are none."""
        first = self._due.first()
        if first is None:
            return None
        if self._wiring.cache.crowded:
            return _LOOK_AGAIN_S
        now = self._wiring.clock.now()
        if first <= now and first <= self._partition_time(now):
            return 0
        left = (first - now) / 1000 / self._wiring.clock.rate
        return min(max(left, _LOOK_AGAIN_S), _LOOK_FOR_TIMERS_S)

    def _until_told(self) -> float | None:
        """Seconds until customers may be told of something, see Walking.until."""
        before, wiring = self._position, self._wiring
        assert before is not None, "begun"
        told = self._walking.until(before, self._context(wiring.clock.now()), self._stored)
        return _LOOK_AGAIN_S if told == 0 and wiring.cache.crowded else told

    def _until_ruled(self) -> float:
        """Seconds until rules may have come into force that ask for other windows: the journal
        says soon since when those are kept, whether or not an event comes."""
        before, asked = self._position, self._wiring.rules().rules.asked
        assert before is not None, "begun"
        if before.number == 0 or asked is self._reach.asked:
            return _LOOK_FOR_RULES_S
        reach = self._reach.advance(asked, before.partition_time, before.number + 1, 0)
        if reach.kept is not self._reach.kept:
            return _LOOK_AGAIN_S if self._wiring.cache.crowded else 0
        self._reach = reach
        return _LOOK_FOR_RULES_S

    @property
    def _stored(self) -> int:
        """The number of the last chunk that is in the store."""
        assert self._position is not None, "begun"
        return self._position.number - len(self._in_flight)

    def _context(self, now: int) -> Context:
        wiring, in_force = self._wiring, self._wiring.rules()
        return Context(
            now,
            in_force.rules,
            wiring.core,
            self._partition_time(now),
            wiring.facts(),
            register=in_force.state.offset,
        )

    def _partition_time(self, now: int) -> int:
        """See streams/partition_time.py; topics that are set not to hold it back do not count."""
        wiring, before = self._wiring, self._position
        assert before is not None, "begun"
        horizon = now + wiring.core.future_tolerance
        topics = (topic for topic in wiring.topics if topic not in wiring.settings.lagging_topics)
        sources = (
            Source(self._inbox.head(topic, horizon), self._caught_up(topic)) for topic in topics
        )
        delay = int(wiring.settings.expected_delay_ms * wiring.clock.rate)
        return partition_time(before.partition_time, sources, now, delay)

    def _caught_up(self, topic: str) -> int | None:
        taken = self._fetched.get(topic, 0)
        told = self._wiring.caught_up(TP(topic, self.partition), taken)
        return None if told is None else self._wiring.clock.at(told)

    def _behind(self) -> set[str]:
        """The topics that Kafka has more of than came in, and that are waited for."""
        behind, fetched = self._wiring.behind, self._fetched
        waited_for = fetched.keys() - self._wiring.settings.lagging_topics
        return {topic for topic in waited_for if behind(TP(topic, self.partition), fetched[topic])}

    def _open(self) -> AbstractSet[str]:
        """The topics beyond whose last message no chunk goes, as more is to come. What partitions
        tell each other is none of them: it comes when it is told, whatever its time."""
        return self._missing.awaited(self._behind()) - {INTERNAL}

    def _step(self) -> None:
        begun = time.perf_counter()
        wiring, before = self._wiring, self._position
        assert before is not None, "begun"
        context = self._context(wiring.clock.now())
        asked, time_ = context.rules.asked, context.partition_time
        context = replace(
            context, reach=self._reach.advance(asked, time_, before.number + 1, context.edge)
        )
        due = self._due.take(context.partition_time, MAX_FIRED)
        going = self._walking.begun(before, context)
        round_ = self._walking.round_of(going, context, self._stored)
        walk = walked(going, round_.upto)
        entries = self._inbox.take(context, self._open())
        kept = context.reach.kept
        if not entries and not due and walk == before.walk and kept is self._reach.kept:
            return
        self._waiting_since = None
        fail_point("chunk-taken")
        outcome = self._apply(entries, context, due, round_)
        refusals = self._judge(entries, outcome)
        reach = context.reach.after(outcome.fills)
        position = self._advance(entries, context, len(due), refusals, walk, reach)
        self._due.changed(position.number, outcome.dues.items())
        fail_point("chunk-stepped")
        batch = batch_of(outcome, position, wiring.changelog, wiring.core.partitions)
        sent = self.outbox.send(batch, self._storing(outcome, position))
        effects = Counter(map(type, outcome.effects))
        self._in_flight.append(_Chunk(position, tuple(outcome.records), effects, sent))
        sent.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._sent))
        wiring.report.stepped(entries, outcome, time.perf_counter() - begun)

    def _apply(
        self, entries: Sequence[Entry], context: Context, due: Sequence[str], round_: Round
    ) -> Outcome:
        cache, partition = self._wiring.cache, self.partition
        loaded: list[Record] = []

        def load(customer: str) -> Record:
            record = self._records.load(customer)
            loaded.append(record)
            return record

        try:
            outcome = apply_chunk(entries, load, context, due, round_)
        except Exception as error:  # whatever it is, nothing of the chunk may stand
            first = f"offset {entries[0].raw.offset} of {entries[0].raw.topic}" if entries else ""
            die(
                Fault.STEP,
                f"partition {partition}: stepping {len(due)} customers' timers, a broadcast to "
                f"{len(round_.visit)}, {len(entries)} events from {first} raised {kind_of(error)}: "
                "a fault of ours, please report it",
            )
        if outcome.dead_letters:
            # A fold that failed may have left its record half changed: back to what is stored.
            for record in loaded:
                if record.customer not in outcome.records:
                    cache.put(partition, Record(record.customer, record.stored))
        for record in _busiest_last(outcome, due):
            cache.put(partition, record)
        cache.pin(partition, outcome.records.values())
        cache.shrink()
        return outcome

    def _judge(self, entries: Sequence[Entry], outcome: Outcome) -> dict[str, Refusals]:
        before, wiring = self._position, self._wiring
        assert before is not None, "begun"
        after, excess = judge(before.refusals, entries, outcome.dead_letters, wiring.limit)
        if excess is not None:
            under_way = [chunk.sent for chunk in self._in_flight]
            refuse(excess, wiring.limit, under_way, wiring.settings.drain_timeout_s)
        return after

    def _advance(
        self,
        entries: Sequence[Entry],
        context: Context,
        timers: int,
        refusals: dict[str, Refusals],
        walk: Walk,
        reach: Reach,
    ) -> Position:
        before = self._position
        assert before is not None, "begun"
        ends = before.ends()
        for entry in entries:
            ends[entry.raw.topic] = entry.raw.offset + 1
        self._position = Position(
            partition=self.partition,
            number=before.number + 1,
            ranges={
                topic: Range(topic_id=taken.topic_id, start=taken.end, end=ends[topic])
                for topic, taken in before.ranges.items()
            },
            now=context.now,
            rules=context.rules.digest,
            partition_time=context.partition_time,
            timers=timers,
            changelog=self._changelog_id,
            facts=dict(context.facts.offsets),
            register=context.register,
            refusals=refusals,
            walk=walk,
            reach=None if reach.kept is self._reach.kept else {**reach.kept},
        )
        self._reach = reach
        return self._position

    def _storing(self, outcome: Outcome, position: Position) -> Callable[[int], None]:
        # The bytes are taken now: the next chunk may change the records while this one commits.
        changes = self._due.stale()
        changes += moves(outcome.dues.items())
        changes += changed(outcome)
        if position.reach is not None:
            changes.append((REACH_KEY, encode_reach(position.reach)))
        changes.append((POSITION_KEY, encode_position(position)))

        def store(offset: int) -> None:
            self.store.write(changes, self._changelog_id, offset)

        return store

    def _sent(self) -> None:
        try:
            self._acknowledge()
        except Exception as error:  # a callback's error is only logged, and the runner would wait
            die(Fault.CRASHED, f"partition {self.partition}: step 6 raised {kind_of(error)}")

    def _acknowledge(self) -> None:
        """Step 6, for every chunk at the head that is through."""
        while self._in_flight and self._in_flight[0].sent.done():
            chunk = self._in_flight.popleft()
            try:
                sent = chunk.sent.result()
            except AbandonedError:
                continue
            self._wiring.cache.unpin(self.partition, chunk.customers)
            self._due.stored(chunk.position.number)
            self._wiring.offsets.advance(self._ends(chunk.position.ends()))
            self._wiring.report.committed(chunk.position, chunk.effects, sent)
            fail_point("acknowledged")
        self._wake.set()

    def _ends(self, ends: Mapping[str, int]) -> dict[TP, int]:
        return {TP(topic, self.partition): end for topic, end in ends.items()}


def _busiest_last(outcome: Outcome, due: Sequence[str]) -> list[Record]:
    """Changed records as the cache is to let them go: those whose timers were due come once, and
    who does most comes first among a chunk's events, in the next one too."""
    asked = set(due)
    records = [*reversed(outcome.records.values())]
    return sorted(records, key=lambda one: one.customer not in asked)
