"""Each reach into Faust and aiokafka, held to the pinned versions.

Two kinds of test for each: what is overridden is there with the signature that is overridden, and
the stock behaviour that the lane replaces or relies on is what the lane believes it to be.
"""

import asyncio
import inspect
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any, NoReturn

import faust
import pytest
from faust.exceptions import ImproperlyConfigured
from faust.stores.base import Store as FaustStore
from faust.stores.memory import Store as MemoryStore
from faust.tables.base import Collection
from faust.tables.recovery import Recovery, ServiceStopped
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from intervaltree import IntervalTree  # type: ignore[import-untyped]  # ships none
from yarl import URL

from agents.app import LaneApp
from agents.faults import Fault
from agents.lane import consumer_thread
from agents.lane.consumer_thread import ConsumerThread
from agents.lane.table import LaneStore
from agents.lane.transport import (
    ChunkSchema,
    Consumer,
    Transport,
)
from config.settings import MAX_SESSION_S

INPUT = TP("bank.core", 0)
CHANGELOG = TP("vipcare-customers-changelog", 0)


@pytest.fixture
def stock(app: LaneApp) -> BaseConsumer:
    """Faust's own bookkeeping, without the lane's overrides."""
    transport = driver.Transport([URL("kafka://127.0.0.1:1")], app)
    callbacks: Any = SimpleNamespace
    return driver.Consumer(transport, callbacks, callbacks, callbacks)


def source_of(thing: Any) -> str:
    """The source of a function, or of one of Faust's background tasks."""
    return inspect.getsource(getattr(thing, "fun", thing))


def message(tp: TP, offset: int, value: Any = ()) -> ConsumerMessage:
    return ConsumerMessage(tp.topic, tp.partition, offset, 0.0, 0, [], None, value, None, tp=tp)


def test_versions_are_those_the_lane_was_written_for() -> None:
    assert version("faust-streaming") == "0.15.3"
    assert version("aiokafka") == "0.14.0"


OVERRIDES: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
    (Consumer.ack, driver.Consumer.ack),
    (Consumer._new_offset, driver.Consumer._new_offset),
    (Consumer._add_gap, driver.Consumer._add_gap),
    (Consumer._filter_tps_with_pending_acks, driver.Consumer._filter_tps_with_pending_acks),
    (Consumer.getmany, driver.Consumer.getmany),
    (Consumer.highwaters, driver.Consumer.highwaters),
    (Consumer.earliest_offsets, driver.Consumer.earliest_offsets),
    (Consumer.seek_wait, driver.Consumer.seek_wait),
    (Consumer.perform_seek, driver.Consumer.perform_seek),
    (Consumer.wait_empty, driver.Consumer.wait_empty),
    (Consumer.verify_all_partitions_active, driver.Consumer.verify_all_partitions_active),
    (Consumer._new_consumer_thread, driver.Consumer._new_consumer_thread),
    (ConsumerThread._fetch_records, driver.AIOKafkaConsumerThread._fetch_records),
    (ConsumerThread.on_start, driver.AIOKafkaConsumerThread.on_start),
    (ConsumerThread._create_worker_consumer, driver.AIOKafkaConsumerThread._create_worker_consumer),
    (LaneApp._new_transport, faust.App._new_transport),
    (LaneStore.persisted_offset, FaustStore.persisted_offset),
    (LaneStore.set_persisted_offset, FaustStore.set_persisted_offset),
    (LaneStore.on_rebalance, FaustStore.on_rebalance),
    (LaneStore.on_recovery_completed, FaustStore.on_recovery_completed),
    (LaneStore.apply_changelog_batch, MemoryStore.apply_changelog_batch),
    (LaneStore.reset_state, MemoryStore.reset_state),
]


OTHERWISE_HELD = {
    "Consumer.__init__": "hands its arguments on",
    "ChunkSchema.loads_key": "test_the_schema_hands_over_keys_and_lists_untouched",
    "ChunkSchema.loads_value": "test_the_schema_hands_over_keys_and_lists_untouched",
    "LaneStore.stop": "tests/lane/test_table.py",
    "LaneStore.backup_partition": "refuses",
    "LaneStore.restore_backup": "refuses",
}


def test_no_override_is_left_out() -> None:
    found = set()
    for ours in (LaneApp, LaneStore, ChunkSchema, ConsumerThread, Consumer, Transport):
        for name, thing in vars(ours).items():
            above = any(name in vars(base) for base in ours.__mro__[1:])
            if above and inspect.isfunction(thing):
                found.add(thing.__qualname__)
    assert found == {ours.__qualname__ for ours, _ in OVERRIDES} | OTHERWISE_HELD.keys()


@pytest.mark.parametrize(("ours", "theirs"), OVERRIDES, ids=lambda f: f.__qualname__)
def test_an_override_has_the_signature_of_what_it_overrides(
    ours: Callable[..., Any], theirs: Callable[..., Any]
) -> None:
    def parameters(function: Callable[..., Any]) -> list[tuple[str, Any]]:
        found = inspect.signature(function).parameters.values()
        return [(parameter.name, parameter.default) for parameter in found]

    assert parameters(ours) == parameters(theirs)
    assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs)
    assert inspect.isasyncgenfunction(ours) == inspect.isasyncgenfunction(theirs)


def test_the_app_runs_on_the_lane(app: LaneApp, consumer: Consumer) -> None:
    assert isinstance(app.transport, Transport)
    assert isinstance(consumer._thread, ConsumerThread)
    table: Any = app.tables["customers"]
    assert isinstance(table.data, LaneStore)
    assert app.tables.changelog_topics == {CHANGELOG.topic}


def test_faust_takes_a_store_url_without_host_for_none() -> None:
    assert not URL("lane://"), "so the table would be kept in memory"
    assert URL("lane://records")


@pytest.mark.parametrize(("session_s", "refused"), [(MAX_SESSION_S, False), (91, True)])
def test_faust_starts_with_every_session_that_the_settings_allow(
    app: LaneApp, consumer: Consumer, session_s: float, refused: bool
) -> None:
    async def make() -> None:
        thread: Any = consumer._thread
        thread._create_worker_consumer(consumer.transport)

    app.conf.broker_session_timeout = session_s
    with pytest.raises(ImproperlyConfigured) if refused else nullcontext():
        asyncio.run(make())


# -- offsets ---------------------------------------------------------------------------------------
def test_stock_offsets_pass_over_a_held_chunk(stock: BaseConsumer) -> None:
    """Chunks 0-9, 10-19, 20-29; the first is held, the others acknowledged: 30 would be lost."""
    stock._acked[INPUT] = [19, 29]
    stock._gap[INPUT] = IntervalTree()
    assert stock._new_offset(INPUT) == 20


def test_offsets_are_the_runners_alone(consumer: Consumer) -> None:
    consumer.ack(message(INPUT, 29))
    assert consumer._new_offset(INPUT) is None
    assert list(consumer._filter_tps_with_pending_acks()) == []
    consumer.lane.offsets.advance({INPUT: 10})
    consumer.ack(message(INPUT, 39))
    assert consumer._filter_committable_offsets([INPUT]) == {INPUT: 10}
    assert list(consumer._filter_tps_with_pending_acks({"bank.card"})) == []
    assert list(consumer._filter_tps_with_pending_acks({INPUT.topic})) == [INPUT]


def test_ack_ends_fausts_tracking(consumer: Consumer) -> None:
    taken = message(INPUT, 9)
    consumer.track_message(taken)
    assert taken in consumer.unacked
    taken.incref()
    taken.ack(consumer)
    assert taken.acked
    assert not consumer.unacked


def test_gaps_leave_no_trace(consumer: Consumer) -> None:
    asyncio.run(consumer._add_gap(INPUT, 5, 9))
    assert not consumer._gap


# -- schema ----------------------------------------------------------------------------------------
def test_the_schema_hands_over_keys_and_lists_untouched(app: LaneApp) -> None:
    chunk = message(INPUT, 1, [object()])
    event: Any = asyncio.run(ChunkSchema(key_type=bytes, value_type=bytes).decode(app, chunk))
    assert event.value is chunk.value
    assert event.key is None


# -- recovery --------------------------------------------------------------------------------------
def test_recovery_asks_for_ends_before_it_reads_offsets() -> None:
    """So `highwaters` is the place to fence, to open the copies and to say how far they go."""
    source = source_of(Recovery._restart_recovery)
    assert source.index("_build_highwaters") < source.index("_build_offsets")
    assert "consumer.highwaters(*tps)" in source_of(Recovery._build_highwaters)
    assert "last_value = destination[tp]" in source_of(Recovery._build_offsets)


def test_recovery_seeks_the_inputs_after_the_callbacks_of_its_end() -> None:
    source = source_of(Recovery.on_recovery_completed)
    assert source.index("table.on_recovery_completed") < source.index("consumer.perform_seek()")
    assert source.index("consumer.perform_seek()") < source.index("consumer.resume_flow()")


def test_a_timeout_of_recovery_looks_like_its_end(app: LaneApp) -> None:
    """Hence the lane's own, shorter one: Faust would stand still without a word."""

    async def wait() -> None:
        recovery = Recovery(app, app.tables)
        await recovery._wait(asyncio.sleep(5), timeout=0.01)

    with pytest.raises(ServiceStopped):
        asyncio.run(wait())
    assert app.conf.broker_request_timeout == 90.0


def test_recovery_only_logs_errors_of_apply() -> None:
    """Hence the copier writes, and ends the process itself."""
    assert 'logger.warning(f"Error in recovery {ex}")' in source_of(Recovery._slurp_changelogs)


def test_a_buffer_of_one_would_mean_something_else(app: LaneApp) -> None:
    assert app.tables["customers"].recovery_buffer_size == 2
    source = source_of(Recovery._restart_recovery)
    assert "self.tp_to_table[tp].recovery_buffer_size == 1" in source


def test_a_table_hands_batches_to_its_store() -> None:
    assert "self.data.apply_changelog_batch(" in source_of(Collection.apply_changelog_batch)


def test_recovery_asks_for_the_standbys_ends_after_its_own_and_in_another_call() -> None:
    """So the lane can tell the two calls of `highwaters` apart, and fences for actives alone."""
    source = source_of(Recovery._restart_recovery)
    assert source.index("assigned_active_tps, active_highwaters") < source.index(
        'standby_highwaters,\n                            "standby"'
    )


def test_recovery_reads_the_offsets_of_standbys_before_it_seeks_them() -> None:
    """`highwaters` of the actives has set them by then; those of the standbys are too late."""
    source = source_of(Recovery._restart_recovery)
    assert (
        source.index('active_highwaters, "active"')
        < source.index("assigned_standby_tps, standby_offsets")
        < source.index("consumer, standby_tps, standby_offsets")
    )


def test_one_buffer_for_all_would_hold_back_the_last_chunk_of_a_standby() -> None:
    """Hence standbys are the copier's, and Faust does not hear of their records."""
    source = source_of(Recovery._slurp_changelogs)
    assert "buf = buffers[table]" in source
    assert "if len(buf) >= bufsize:" in source


# -- revoke and stop -------------------------------------------------------------------------------
def test_revoke_and_stop_stop_the_flow_and_then_wait_until_empty() -> None:
    for method in (faust.App._on_partitions_revoked, faust.App._stop_consumer):
        source = source_of(method)
        waits = source.index("_consumer_wait_empty")
        assert source.index("consumer.stop_flow") < waits
        assert source.index("flow_control.clear") < waits


def test_stock_revoke_forgets_what_was_acknowledged_before_it_commits() -> None:
    """Hence offsets of our own, which last until `wait_empty` committed them."""
    source = source_of(BaseConsumer.on_partitions_revoked)
    assert source.index("self._acked.pop") < source.index("self._on_partitions_revoked")


def test_wait_empty_drains_then_commits_then_forgets(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[Any] = []

    async def drain() -> None:
        happened.append("drained")
        consumer.lane.offsets.advance({INPUT: 12})

    async def commit_offsets(offsets: dict[TP, int], start_new_transaction: bool = True) -> bool:
        happened.append(offsets)
        return True

    monkeypatch.setattr(consumer.lane, "drain", drain)
    monkeypatch.setattr(consumer, "_commit_offsets", commit_offsets)
    monkeypatch.setattr(consumer, "_handle_attached", lambda offsets: asyncio.sleep(0))
    asyncio.run(consumer.wait_empty())
    assert happened == ["drained", {INPUT: 12}]
    assert list(consumer.lane.offsets) == []


def test_read_and_committed_offsets_are_dicts_that_answer_none(consumer: Consumer) -> None:
    assert isinstance(consumer._read_offset, defaultdict)
    assert consumer._read_offset[INPUT] is None
    assert consumer._committed_offset[INPUT] is None


def test_faust_worker_ends_with_a_status_only_after_a_crash() -> None:
    source = source_of(faust.Worker.execute_from_commandline)
    assert "with exiting(file=self.stderr):" in source
    assert "raise SystemExit(EX_OK)" in source


class Ended(BaseException):
    """In place of the end of the process."""


@pytest.mark.parametrize("call", ["perform_seek", "highwaters", "seek_wait"])
def test_what_kafka_does_not_answer_ends_the_process(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Kafka away for so long, just then: Faust alone would end its recovery and stand still."""

    def die(fault: Fault, _: str) -> NoReturn:
        raise Ended(fault)

    async def for_ever(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(consumer_thread, "die", die)
    monkeypatch.setattr(consumer_thread, "ANSWER_S", 0.01)
    monkeypatch.setattr(consumer, "_seek_to_positions", for_ever)
    monkeypatch.setattr(consumer._thread, "seek_wait", for_ever)
    monkeypatch.setattr(consumer.lane, "take_over", for_ever)
    arguments = [{}] if call == "seek_wait" else []
    with pytest.raises(Ended) as ended:
        asyncio.run(getattr(consumer, call)(*arguments))
    assert ended.value.args == (Fault.KAFKA,)
