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
    return table.data


def test_faust_is_told_how_far_a_copy_goes(store: LaneStore) -> None:
    assert store.persisted_offset(CHANGELOG) is None
    store.lane.stores.open(0).write([(b"C1", b"x")], "id", 9)
    assert store.persisted_offset(CHANGELOG) == 9
    store.set_persisted_offset(CHANGELOG, 99)
    assert store.persisted_offset(CHANGELOG) == 9, "the copy keeps its own mark"


def test_copies_are_closed_when_they_go_to_another_worker_and_at_the_end(store: LaneStore) -> None:
    for tp in (CHANGELOG, OTHER):
        store.lane.stores.open(tp.partition)
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
    state = SimpleNamespace(_position=position, lso=committed_end, highwater=end, timestamp=None)
    monkeypatch.setattr(consumer._thread, "partition_state", lambda tp: state)
    assert consumer.fetch_state(INPUT).more is behind


def test_lag_is_counted_from_the_committed_position(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = SimpleNamespace(_position=11, lso=12, highwater=12, timestamp=None)
    monkeypatch.setattr(consumer._thread, "partition_state", lambda tp: state)
    assert consumer.lag(INPUT) is None
    consumer.lane.offsets.advance({INPUT: 9})
    assert consumer.lag(INPUT) == 3
    state._position = 12
    assert consumer.lag(INPUT) == 0, "what is left are markers"
    monkeypatch.setattr(consumer._thread, "partition_state", lambda tp: None)
    assert consumer.behind(INPUT, 12), "unknown counts as behind"
    assert consumer.lag(INPUT) is None


def test_earlier_owners_are_fenced_before_the_ends_are_read(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For its own partitions alone; the copies of standbys are looked at in the same go."""
    happened: list[str] = []

    async def take_over(partitions: list[int]) -> None:
        happened.append(f"fenced {partitions}")

    async def logs(tps: set[TP]) -> tuple[dict[TP, int], dict[TP, int]]:
        happened.append(f"ends {sorted(tp.partition for tp in tps)}")
        return dict.fromkeys(tps, 3), dict.fromkeys(tps, 20)

    def follow(standbys: set[int], earliest: Any, ends: dict[int, int]) -> dict[int, int]:
        happened.append(f"standbys {standbys}")
        return {number: end - 6 - number for number, end in ends.items()}

    recovery = cast(Any, consumer.app.tables).recovery
    recovery.active_tps.add(CHANGELOG)
    recovery.standby_tps.add(OTHER)
    monkeypatch.setattr(consumer._thread, "logs", logs)
    monkeypatch.setattr(consumer.lane, "take_over", take_over)
    monkeypatch.setattr(consumer.lane, "follow", follow)
    assert asyncio.run(consumer.highwaters(CHANGELOG)) == {CHANGELOG: 20}
    assert happened == ["fenced [0]", "ends [0, 1]", "standbys {1}"]
    assert recovery.active_offsets == {CHANGELOG: 14}, "recovery goes on from the local copy"
    assert recovery.standby_offsets == {OTHER: 13}
    assert asyncio.run(consumer.earliest_offsets(OTHER)) == {OTHER: 3}, "not asked for again"


def test_nobody_is_fenced_for_the_standbys(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ends(*tps: TP) -> dict[TP, int]:
        return dict.fromkeys(tps, 20)

    recovery = cast(Any, consumer.app.tables).recovery
    recovery.active_tps.add(CHANGELOG)
    recovery.standby_tps.add(OTHER)
    monkeypatch.setattr(consumer._thread, "highwaters", ends)
    assert asyncio.run(consumer.highwaters(OTHER)) == {OTHER: 20}
