"""What Faust asks of the table's store and of the consumer's places, answered by real parts."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP

from agents.app import LaneApp
from agents.lane.table import LaneStore
from agents.lane.transport import Consumer

INPUT = TP("bank.core", 0)
CHANGELOG = TP("vipcare-customers-changelog", 0)
OTHER = TP("vipcare-customers-changelog", 1)


@pytest.fixture
def store(app: LaneApp) -> LaneStore:
    table: Any = app.tables["customers"]
    assert isinstance(table.data, LaneStore)
    app.lane._topic_ids[CHANGELOG.topic] = "id"
    return table.data


def chunk(tp: TP, offset: int, *records: tuple[bytes, bytes | None]) -> Any:
    value = [SimpleNamespace(key=key, value=value) for key, value in records]
    return SimpleNamespace(
        message=SimpleNamespace(partition=tp.partition, offset=offset, value=value)
    )


def test_changelog_chunks_are_in_the_local_copy_with_their_offset(store: LaneStore) -> None:
    assert store.persisted_offset(CHANGELOG) is None
    chunks = [
        chunk(CHANGELOG, 4, (b"C1", b"old"), (b"C2", b"x")),
        chunk(CHANGELOG, 9, (b"C1", b"new")),
    ]
    store.apply_changelog_batch(chunks, None, None)
    store.apply_changelog_batch([chunk(OTHER, 2, (b"C3", b"y"))], None, None)
    assert (store.persisted_offset(CHANGELOG), store.persisted_offset(OTHER)) == (9, 2)
    copy = store.lane.stores.open(0)
    assert (copy.get(b"C1"), copy.get(b"C2"), copy.get(b"C3")) == (b"new", b"x", None)
    store.set_persisted_offset(CHANGELOG, 99)
    assert store.persisted_offset(CHANGELOG) == 9, "the copy keeps its own mark"
    store.apply_changelog_batch([chunk(CHANGELOG, 11, (b"C2", None))], None, None)
    assert copy.get(b"C2") is None


def test_copies_are_closed_when_they_go_to_another_worker_and_at_the_end(store: LaneStore) -> None:
    for tp in (CHANGELOG, OTHER):
        store.apply_changelog_batch([chunk(tp, 1, (b"C", b"x"))], None, None)
    kept = {CHANGELOG, INPUT}
    asyncio.run(store.on_rebalance(kept, {CHANGELOG, OTHER, INPUT}, kept, 2))
    assert set(store.lane.stores.opened) == {0}
    asyncio.run(store.stop())
    assert not store.lane.stores.opened


@pytest.mark.parametrize(
    ("position", "committed_end", "end", "behind"),
    [
        (7, 7, 7, False),
        (7, 7, 9, False),
        (7, 8, 9, True),
        (7, None, None, True),
        (None, 7, 7, True),
    ],
)
def test_behind_is_what_committed_readers_have_before_them(
    consumer: Consumer,
    monkeypatch: pytest.MonkeyPatch,
    position: int | None,
    committed_end: int | None,
    end: int | None,
    behind: bool,
) -> None:
    state = SimpleNamespace(
        has_valid_position=position is not None, position=position, lso=committed_end, highwater=end
    )
    monkeypatch.setattr(consumer._thread, "partition_state", lambda tp: state)
    assert consumer.behind(INPUT) is behind


def test_lag_is_counted_from_the_committed_position(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = SimpleNamespace(highwater=12)
    monkeypatch.setattr(consumer._thread, "partition_state", lambda tp: state)
    assert consumer.lag(INPUT) is None
    consumer.lane.offsets.advance({INPUT: 9})
    assert consumer.lag(INPUT) == 3
    monkeypatch.setattr(consumer._thread, "partition_state", lambda tp: None)
    assert consumer.behind(INPUT), "unknown counts as behind"
    assert consumer.lag(INPUT) is None


def test_earlier_owners_are_fenced_before_the_ends_are_read(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    async def take_over(partitions: list[int]) -> None:
        happened.append(f"fenced {partitions}")

    async def offsets_of(kind: str, *partitions: TP) -> dict[TP, int]:
        happened.append(kind)
        return dict.fromkeys(partitions, 20 if kind == "ends" else 3)

    recovery = cast(Any, consumer.app.tables).recovery
    recovery.active_tps.add(CHANGELOG)
    thread = consumer._thread
    monkeypatch.setattr(thread, "highwaters", lambda *tps: offsets_of("ends", *tps))
    monkeypatch.setattr(thread, "earliest_offsets", lambda *tps: offsets_of("begins", *tps))
    monkeypatch.setattr(consumer.lane, "take_over", take_over)
    monkeypatch.setattr(consumer.lane, "copied", lambda begins, ends: {0: ends[0] - 6})
    assert asyncio.run(consumer.highwaters(CHANGELOG)) == {CHANGELOG: 20}
    assert happened == ["fenced [0]", "ends", "begins"]
    assert recovery.active_offsets[CHANGELOG] == 14, "recovery goes on from the local copy"
