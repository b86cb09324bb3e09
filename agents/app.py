"""The Faust app on the batch lane: one agent, one table, and what they are wired to."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

import faust
from confluent_kafka import KafkaError
from faust.types import TP, Message
from yarl import URL

from agents.clock import BankClock
from agents.core import refusal_limit
from agents.faults import Fault, die, kind_of
from agents.kafka import faust_brokers, faust_credentials
from agents.lane import table
from agents.lane.cache import RecordCache
from agents.lane.lane import Lane
from agents.lane.offsets import Offsets
from agents.lane.report import Report
from agents.lane.transport import ChunkSchema, Consumer, Transport
from agents.lane.wiring import Wiring
from agents.rights_check import refusal
from agents.topics import changelog
from config.settings import Settings
from schemas import metrics as m
from schemas.events import INPUT_TOPICS, INTERNAL
from sinks.metrics import Metrics
from streams.context import CoreSettings
from streams.facts import Facts
from streams.inputs import Raw, raw_of
from streams.rules.register import InForce

_LAG_EVERY_S = 2.0
_CONFIRM_EVERY_S = 600.0
_LOOK_AT_TOPICS_EVERY_S = 10.0
_HEARTBEAT_S = 0.5
"""A worker hears of a rebalance by its next heartbeat."""

if TYPE_CHECKING:
    from faust.types import StreamT


class RulesInForce(Protocol):
    """What gives the rules, and is told of those that raise."""

    def now(self) -> InForce: ...

    def failed(self, rule: str, errors: int) -> None: ...


class LaneApp(faust.App):
    """Faust's app with the batch lane as its consumer's transport."""

    lane: Lane

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)


def create_app(
    settings: Settings,
    core: CoreSettings,
    rules: RulesInForce,
    facts: Callable[[], Facts],
    metrics: Metrics,
    url: URL,
) -> LaneApp:
    """A worker's app, not started. `url` must be this worker's own within its group."""
    table.register()
    app = _new_app(settings, url)
    cache = RecordCache(settings.worker.cache_bytes)

    def behind(tp: TP, taken: int) -> bool:
        return cast(Consumer, app.consumer).behind(tp, taken)

    def caught_up(tp: TP, taken: int) -> int | None:
        return cast(Consumer, app.consumer).fetches.caught_up(tp, taken)

    def explain(error: KafkaError) -> str:
        said = error.str()
        told = refusal(error.code(), "worker", settings)
        return f"{said}. {told}" if told else said

    app.lane = Lane(
        settings.kafka,
        Wiring(
            topics=INPUT_TOPICS,
            changelog=changelog(settings.worker.app),
            settings=settings.worker,
            core=core,
            clock=BankClock.from_settings(settings.clock),
            rules=rules.now,
            facts=facts,
            cache=cache,
            limit=refusal_limit(settings.refusals),
            offsets=Offsets(),
            report=Report(metrics, cache, rules.failed),
            behind=behind,
            caught_up=caught_up,
            explain=explain,
        ),
    )
    _define(app, settings.topics.partitions)
    return app


def _new_app(settings: Settings, url: URL) -> LaneApp:
    worker = settings.worker
    return LaneApp(
        worker.app,
        broker=faust_brokers(settings.kafka),
        broker_credentials=faust_credentials(settings.kafka),
        broker_session_timeout=worker.session_timeout_s,
        broker_heartbeat_interval=min(worker.session_timeout_s / 3, _HEARTBEAT_S),
        broker_rebalance_timeout=worker.rebalance_timeout_s,
        broker_max_poll_interval=3_600.0,  # the lane may hold back for long; liveness is measured
        # A static member that restarts is handed its assignment as it was, with its address.
        canonical_url=URL(f"http://{worker.instance}") if worker.instance else url,
        consumer_group_instance_id=worker.instance or None,
        datadir=worker.data,
        # Topics are made by `vipcare topics create`, never by themselves.
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=worker.standbys,
        topic_partitions=settings.topics.partitions,
        # Faust's own web server would show state to anyone.
        web_enabled=False,
        stream_wait_empty=True,
        # The embedded broker may tell too small an end of a topic.
        recovery_consistency_check=settings.kafka.transactions,
        consumer_auto_offset_reset="earliest",
        # Of one partition in one answer. Four of them fill a chunk; with less at a time a worker
        # that is behind commits chunks that are not full.
        consumer_max_fetch_size=worker.chunk_bytes // 4,
        worker_redirect_stdouts=False,
    )


def _define(app: LaneApp, partitions: int) -> None:
    schema = ChunkSchema(key_type=bytes, value_type=bytes)
    app.Table(
        "customers",
        store=f"{table.SCHEME}://records",  # Faust takes a URL without a host for none
        partitions=partitions,
        schema=schema,
        recovery_buffer_size=2,  # not used, but 1 means something else to Faust
    )

    async def intake(stream: "StreamT[list[object]]") -> None:
        async for event in stream.events():
            _take(app, event.message)

    app.agent(app.topic(*INPUT_TOPICS, schema=schema), name="intake")(intake)

    async def tell_lag() -> None:
        consumer = cast(Consumer, app.consumer)
        for tp in app.lane.offsets:
            lag = consumer.lag(tp)
            if lag is not None:
                app.lane.wiring.report.metrics.set(m.LAG, lag, tp.topic, str(tp.partition))

    app.timer(_LAG_EVERY_S)(tell_lag)

    async def confirm() -> None:
        app.lane.confirm()

    app.timer(_CONFIRM_EVERY_S)(confirm)

    async def look_at_topics() -> None:
        await app.lane.look_at_topics()

    app.timer(_LOOK_AT_TOPICS_EVERY_S)(look_at_topics)


def _take(app: LaneApp, message: Message) -> None:
    """Hand a chunk to its partition runner. An error here would lose it: it ends the process."""
    if message.generation_id != app.consumer_generation_id:
        return
    topic, partition = message.topic, message.partition
    records = cast(Any, message.value)
    try:
        if topic == INTERNAL:
            raws = (raw_of(topic, partition, r.offset, r.key, r.value, r.headers) for r in records)
        else:  # nearly all messages, so they go without a look at their headers
            raws = (Raw(topic, partition, r.offset, r.key, r.value) for r in records)
        app.lane.offer(TP(topic, partition), raws)
    except Exception as error:  # Faust would acknowledge the chunk and go on
        die(Fault.CRASHED, f"taking in {topic}[{partition}] raised {kind_of(error)}")
