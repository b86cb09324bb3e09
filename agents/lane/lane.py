"""The lane of a worker: its partition runners, from one assignment to the next.

An assignment goes: `take_over` (fence earlier owners), `follow` (open the local copies, of standbys
too, and see how far they go), Faust restores the changelogs through the copier, `begin` puts every
runner at its position. A revoke is `drain`.
"""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog
from confluent_kafka import KafkaException
from faust.types import TP

from agents.clock import real_millis
from agents.fail_points import fail_point
from agents.faults import Fault, die
from agents.health import State
from agents.kafka import producer_config
from agents.lane.copier import Copier, Copy
from agents.lane.outbox import Outbox
from agents.lane.progress import Progress
from agents.lane.restore import Log, PositionError, place
from agents.lane.runner import Runner
from agents.lane.store import Mark, Store, Stores
from agents.lane.topic_facts import FactsError, TopicFacts, topic_facts
from agents.lane.wiring import Wiring
from config.wires import KafkaSettings
from schemas import metrics as m
from schemas.position import Position
from streams.inputs import Raw

logger = structlog.get_logger()


class Lane:
    """Owns the runners, their outboxes and their local copies."""

    def __init__(self, kafka: KafkaSettings, wiring: Wiring) -> None:
        self._kafka = kafka
        self.wiring = wiring
        self.offsets = wiring.offsets
        self.stores = Stores(wiring.settings.data)
        self._runners: dict[int, Runner] = {}
        self.copier = Copier(wiring.report.metrics)
        self._facts = TopicFacts()
        self._progress = Progress(self.copier, wiring.report.metrics)
        self._taken_over = time.monotonic()
        self.phase = State.STARTING

    @property
    def partitions(self) -> Sequence[int]:
        return tuple(self._runners)

    @property
    def runners(self) -> Sequence[Runner]:
        return tuple(self._runners.values())

    @property
    def transactions(self) -> bool:
        return self._kafka.transactions

    async def take_over(self, partitions: Iterable[int]) -> None:
        """Become the only writer of these partitions; must come before their logs' ends are read.

        Earlier owners are fenced and their open transactions aborted when this returns.
        """
        await self.drain()
        self.wiring.report.metrics.set(m.READY, 0)
        self._taken_over = time.monotonic()
        fail_point("taking-over")
        self.phase = State.RESTORING
        self._runners = {number: self._runner(number) for number in partitions}
        wiring = self.wiring
        try:
            self._facts, _ = await asyncio.gather(
                asyncio.to_thread(topic_facts, self._kafka, wiring.topics, wiring.changelog),
                asyncio.gather(*(runner.outbox.open() for runner in self._runners.values())),
            )
        except FactsError as error:
            die(Fault.POSITION if error.gone else Fault.KAFKA, str(error))
        if problem := self._facts.problem(wiring.core.partitions):
            die(Fault.POSITION, problem)
        fail_point("others-fenced")

    def _runner(self, number: int) -> Runner:
        config = producer_config(self._kafka, self.wiring.settings, number)
        return Runner(
            number, self._open(number), Outbox(config, number, self.wiring.explain), self.wiring
        )

    def _open(self, number: int) -> Store:
        try:
            return self.stores.open(number)
        except Exception as error:  # RocksDB raises plain Exception
            folder = self.wiring.settings.data
            die(
                Fault.STORE,
                f"the local store in {folder} cannot be opened ({error}): give every worker a "
                "folder of its own (worker.data), or remove it, it will be restored",
            )

    def follow(
        self, standbys: Collection[int], earliest: Mapping[int, int], ends: Mapping[int, int]
    ) -> dict[int, int | None]:
        """Partition → the changelog offset up to which its copy goes; unusable copies are wiped.

        `earliest` and `ends` are those of every changelog partition assigned, standbys included.
        From here on the copies are written from what is read of the changelogs.
        """
        copied = {number: self._usable(number, earliest[number], ends[number]) for number in ends}
        copies = {}
        for number, mark in copied.items():
            copies[number] = Copy(
                store=self.stores.open(number),
                standby=number in standbys,
                following=earliest[number] if mark is None else mark.offset + 1,
                end=ends[number],
                as_of=real_millis() if mark is None else mark.as_of,
            )
        fail_point("copies-checked")
        self.copier.begin(copies, self._changelog_id)
        self._progress.begin()
        return {number: None if mark is None else mark.offset for number, mark in copied.items()}

    def _usable(self, number: int, earliest: int, end: int) -> Mark | None:
        """The mark of a copy that can be gone on from; any other is wiped."""
        store = self._open(number)
        trusted = end if self.transactions else None
        if store.usable(self._changelog_id, earliest, trusted, self._facts.max_age_ms):
            return store.mark()
        if not store.empty:
            mark = store.mark()
            offset = mark and mark.offset
            fail_point("copy-wiping")
            if mark is not None and mark.topic_id != self._changelog_id:
                kept = store.set_aside()
                logger.warning("local_store_set_aside", partition=number, offset=offset, kept=kept)
            else:
                logger.warning("local_store_wiped", partition=number, offset=offset, end=end)
                store.wipe()
        return None

    @property
    def _changelog_id(self) -> str:
        return self._facts.ids[self.wiring.changelog]

    def places(self, logs: Mapping[TP, Log]) -> dict[int, Position]:
        """Partition → the position from which its runner goes on, checked against Kafka."""
        found = {}
        for number, runner in self._runners.items():
            mine = {tp.topic: log for tp, log in logs.items() if tp.partition == number}
            if missing := set(self.wiring.topics).difference(mine):
                die(
                    Fault.POSITION,
                    f"partition {number}: another worker has {min(missing)}[{number}]. Are workers "
                    "of different versions in this group? Stop the old ones first",
                )
            try:
                found[number] = place(number, runner.store.position(), mine, self._changelog_id)
            except PositionError as error:
                die(Fault.POSITION, str(error))
        return found

    def begin(self, positions: Mapping[int, Position]) -> None:
        """Start every runner at its position, to which its inputs were sought."""
        self.copier.finish()
        for number, position in positions.items():
            self._runners[number].begin(position, self._changelog_id)
            if position.number:
                # Before its first chunk a partition has nothing to commit to the group: without a
                # position in the changelog, a committed offset means that it was emptied.
                ends = position.ends()
                self.offsets.advance({TP(topic, number): end for topic, end in ends.items()})
            self.wiring.report.at(position)
        self._tell_ready()

    def idle(self) -> None:
        """Be ready without a partition: the group has more workers than partitions."""
        self._taken_over = time.monotonic()
        self._tell_ready()

    async def look_at_topics(self) -> None:
        """End the process if a topic was made anew or got partitions since the take-over."""
        before, wiring = self._facts, self.wiring
        if self.phase is not State.RUNNING or not self._runners:
            return
        try:
            now = await asyncio.to_thread(topic_facts, self._kafka, wiring.topics, wiring.changelog)
        except FactsError as error:
            if error.gone:
                die(Fault.POSITION, str(error))
            return  # Kafka is away; what needs it will say so
        except KafkaException:
            return
        if self._facts is before and (problem := now.problem(wiring.core.partitions, before)):
            die(Fault.POSITION, f"{problem}. Start again: it says what to do")

    def log(self, topic: str, earliest: int, end: int, committed: int | None) -> Log:
        trusted = end if self.transactions else None
        return Log(self._facts.ids[topic], earliest, trusted, committed)

    def _tell_ready(self) -> None:
        self._progress.measure()
        metrics, seconds = self.wiring.report.metrics, time.monotonic() - self._taken_over
        self.phase = State.RUNNING
        metrics.set(m.PARTITIONS, len(self._runners))
        metrics.set(m.READY, 1)
        metrics.set(m.RESTORE_SECONDS, seconds)
        logger.info(
            "worker_ready",
            partitions=sorted(self._runners),
            standbys=sorted(self.copier.standbys),
            restored_in_s=round(seconds, 2),
        )

    def room(self, tp: TP) -> bool:
        runner = self._runners.get(tp.partition)
        return runner is not None and runner.room(tp.topic)

    def offer(self, tp: TP, messages: Iterable[Raw]) -> None:
        runner = self._runners.get(tp.partition)
        if runner is not None:
            runner.offer(tp.topic, messages)

    async def drain(self) -> None:
        """Let the chunks under way end, within a bound; then there are no runners."""
        self._progress.end()
        await self.copier.stop()
        runners, self._runners = self._runners, {}
        if not runners:
            return
        self.phase = State.REBALANCING
        fail_point("draining")
        metrics = self.wiring.report.metrics
        metrics.set(m.READY, 0)
        metrics.set(m.PARTITIONS, 0)
        timeout = self.wiring.settings.drain_timeout_s
        ended = await asyncio.gather(*(runner.drain(timeout) for runner in runners.values()))
        for (number, runner), whole in zip(runners.items(), ended, strict=True):
            self.wiring.cache.drop(number)
            if whole:
                runner.confirm()
            else:
                # What was given up is either committed, then the changelog has it, or it is not.
                logger.warning("partition_given_up", partition=number, after_s=timeout)
                self.stores.close([number])
        for metric in (m.POSITION, m.LAG):
            metrics.forget(metric)
        fail_point("drained")

    def confirm(self) -> None:
        """Say of the local copies that lack nothing that they did not become old."""
        for runner in self._runners.values():
            runner.confirm()
        self.copier.confirm()

    def close(self) -> None:
        self.copier.close()
        self.stores.close()
