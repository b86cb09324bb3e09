"""aiokafka's consumer, on the thread that Faust gives it, and what it tells of its fetches."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import aiokafka
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents.faults import Fault, die
from agents.lane.fetches import FetchState
from agents.lane.membership import watch_membership, watch_session

if TYPE_CHECKING:
    from agents.lane.transport import Consumer

LOOK_EVERY_S = 0.05
"""How often a fetch looks at all partitions, which may have moved past markers alone: there may be
hundreds."""
FETCH_MAX_WAIT_MS = 100
"""Faust's 1.5 s would also delay list-offset calls, which queue behind a fetch."""
ANSWER_S = 60.0
"""Shorter than Faust's `broker_request_timeout` of 90 s, see `in_time`."""


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
    seen: Mapping[TP, FetchState] = MappingProxyType({})
    """After a fetch: how the partitions stand of which it brought something; now and then, all."""
    _looked = 0.0

    async def on_start(self) -> None:
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator
        watch_session(coordinator)
        if instance := self.app.conf.consumer_group_instance_id:
            watch_membership(coordinator, instance)

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

    async def hold(self, tps: Collection[TP]) -> None:
        """From here on, a place of these that Kafka's log does not hold ends the process.

        aiokafka would go on from the earliest message that is left, without a word.
        """
        await self.call_thread(self._hold, tps)

    async def _hold(self, tps: Collection[TP]) -> None:
        for tp in tps:
            if (state := self.partition_state(tp)) is not None:
                state.await_reset = partial(_lost_its_place, tp, state, state.await_reset)

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
        looked_at = fetched
        now = time.monotonic()
        if now - self._looked >= LOOK_EVERY_S:
            self._looked = now
            looked_at = consumer.assignment()
        self.seen = {tp: self.fetch_state(tp) for tp in map(ensure_TP, looked_at)}
        return fetched

    def fetch_state(self, tp: TP) -> FetchState:
        """How the fetch of a partition stands; may be called from any thread."""
        state = self.partition_state(tp)
        if state is None:
            return FetchState()
        end = state.lso if self.consumer.lane.transactions else state.highwater
        # The position once: another thread may reset it between two looks.
        return FetchState(state._position, end, state.timestamp)

    def partition_state(self, tp: TP) -> Any:
        """aiokafka's state of an assigned partition (position, highwater, lso), or None."""
        if self._consumer is None:
            return None
        subscription = self._consumer._subscription.subscription
        if subscription is None or subscription.assignment is None:
            return None
        return subscription.assignment.state_value(_plain(tp))


def _lost_its_place(tp: TP, state: Any, reset: Callable[[int], None], strategy: int) -> None:
    """In place of aiokafka's `await_reset`, which is also called when a partition was assigned."""
    if not state.has_valid_position:
        reset(strategy)
        return
    die(
        Fault.POSITION,
        f"{tp.topic}[{tp.partition}]: offset {state.position} was to be read next, but the log "
        "does not hold it: messages were removed unread, or the topic lost some. Start again: it "
        "says which",
    )


def _plain(tp: TP) -> aiokafka.TopicPartition:
    return aiokafka.TopicPartition(tp.topic, tp.partition)
