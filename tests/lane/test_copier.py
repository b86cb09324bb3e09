"""From the changelogs into the local copies: in order, with the right mark, and never after."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NoReturn

import pytest

from agents.clock import real_millis
from agents.faults import Fault
from agents.lane import copier as module
from agents.lane.copier import MAX_WAITING, Copier, Copy
from agents.lane.due import PREFIX, key_of
from agents.lane.progress import Progress
from agents.lane.store import Change, Stores
from schemas.metrics import WORKER
from schemas.position import POSITION_KEY
from schemas.profile import NEVER
from sinks.metrics import Metrics

LONG_AGO = 1_700_000_000_000


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path / "data")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(WORKER)


def value(metrics: Metrics, sample: str, partition: int | None = None) -> float | None:
    labels = {} if partition is None else {"partition": str(partition)}
    return metrics.registry.get_sample_value(sample, labels)


def copies(stores: Stores, *, standby: int | None = None) -> dict[int, Copy]:
    """Two empty copies of changelogs that end at 10; one may be a standby."""
    return {
        number: Copy(stores.open(number), number == standby, following=0, end=10, as_of=LONG_AGO)
        for number in (0, 1)
    }


def record(text: bytes, due: int = NEVER) -> bytes:
    """The beginning of a record as far as it matters here, and a text."""
    return bytes(9) + due.to_bytes(8, "big", signed=True) + text


def change(key: bytes, text: bytes, due: int = NEVER) -> list[Change]:
    return [(key, record(text, due))]


def test_pieces_are_written_in_their_order_with_their_mark(
    stores: Stores, metrics: Metrics
) -> None:
    async def restore() -> list[tuple[int, int]]:
        copier = Copier(metrics)
        copier.begin(copies(stores), "id")
        copier.offer(0, change(b"C1", b"old") + change(b"C2", b"x"), 4, 10)
        copier.offer(0, change(b"C1", b"new"), 7, 10)
        copier.offer(1, change(b"C3", b"y"), 9, 10)
        copier.offer(2, change(b"C4", b"of nobody"), 9, 10)
        while any(copy.waiting for copy in copier.restoring.values()):
            await asyncio.sleep(0.001)
        found = list(copier.restored())
        assert [copier.restoring[number].left for number in (0, 1)] == [2, 0]
        await copier.stop()
        copier.close()
        return found

    assert sorted(asyncio.run(restore())) == [(0, 7), (1, 9)]
    copy = stores.open(0)
    assert (copy.get(b"C1"), copy.get(b"C2"), copy.get(b"C3")) == (
        record(b"new"),
        record(b"x"),
        None,
    )
    unfinished, whole = stores.open(0).mark(), stores.open(1).mark()
    assert unfinished is not None
    assert whole is not None
    assert (unfinished.topic_id, unfinished.offset) == ("id", 7)
    assert unfinished.as_of == LONG_AGO, "it lacks something: it is as old as it was"
    assert whole.as_of > real_millis() - 60_000
    assert value(metrics, "vipcare_restored_records_total") == 4
    assert 2 not in stores.opened


def test_a_standby_follows_without_a_word_to_faust(stores: Stores, metrics: Metrics) -> None:
    async def follow() -> None:
        copier = Copier(metrics)
        copier.begin(copies(stores, standby=1), "id")
        copier.finish()
        copier.offer(0, change(b"C0", b"its runner writes it now"), 9, 10)
        copier.offer(1, change(b"C1", b"x"), 11, 15)
        progress = Progress(copier, metrics)
        while copier.standbys[1].waiting:
            await asyncio.sleep(0.001)
        progress.measure()
        assert list(copier.restored()) == []
        assert copier.standbys[1].left == 3
        await copier.stop()
        copier.close()

    asyncio.run(follow())
    assert stores.open(1).get(b"C1") == record(b"x")
    assert stores.open(0).get(b"C0") is None
    assert value(metrics, "vipcare_standby_partitions") == 1
    assert value(metrics, "vipcare_standby_lag", 1) == 3
    assert value(metrics, "vipcare_standby_records_total") == 1
    assert value(metrics, "vipcare_restored_records_total") == 0


def test_a_standby_that_lacks_nothing_does_not_become_old(stores: Stores, metrics: Metrics) -> None:
    async def follow() -> None:
        copier = Copier(metrics)
        behind, whole = copies(stores), copies(stores)
        both = {0: behind[0], 1: whole[1]}
        for number, copy in both.items():
            copy.standby = True
            copy.following = copy.end - 1 + number
            copy.store.write((), "id", copy.following - 1, LONG_AGO)
        copier.begin(both, "id")
        copier.confirm()
        await copier.stop()
        copier.close()

    asyncio.run(follow())
    marks = [stores.open(number).mark() for number in (0, 1)]
    assert [mark is not None and mark.as_of == LONG_AGO for mark in marks] == [True, False]


def test_there_is_room_for_a_piece_while_one_is_written_and_nothing_comes_after_a_stop(
    stores: Stores, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    store = stores.open(0)
    write = store.write

    def slowly(changes: Sequence[Change], *arguments: object) -> None:
        go_on.wait(10)
        write(changes, *arguments)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(store, "write", slowly)

    async def restore() -> None:
        copier = Copier(metrics)
        assert not copier.room(0)
        copier.begin(copies(stores), "id")
        for offset in range(MAX_WAITING):
            assert copier.room(0)
            copier.offer(0, change(b"C1", b"%d" % offset), offset, 10)
        assert not copier.room(0)
        assert copier.room(1)
        stopping = asyncio.create_task(copier.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done(), "a piece is being written"
        go_on.set()
        await stopping
        assert list(copier.restored()) == []
        copier.offer(0, change(b"C1", b"late"), 9, 10)
        copier.begin(copies(stores, standby=0), "id")
        copier.close()

    asyncio.run(restore())
    assert store.get(b"C1") == record(b"%d" % (MAX_WAITING - 1))


def test_a_copy_that_cannot_be_written_ends_the_process(
    stores: Stores, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[Fault, str]] = []

    def die(fault: Fault, message: str) -> NoReturn:
        found.append((fault, message))
        raise RuntimeError

    monkeypatch.setattr(module, "die", die)

    def full(*_: object) -> None:
        raise OSError("no space left on device")  # what RocksDB says, if not how

    monkeypatch.setattr(stores.open(0), "write", full)

    async def restore() -> None:
        copier = Copier(metrics)
        copier.begin(copies(stores), "id")
        copier.offer(0, (), 4, 10)
        await copier.stop()
        stores.close([1])
        copier.begin({1: copies(stores)[1]}, "id")
        stores.close([1])
        copier.offer(1, (), 4, 10)
        await copier.stop()
        copier.close()

    asyncio.run(restore())
    assert {fault for fault, _ in found} == {Fault.STORE}
    assert "partition 0" in found[0][1]
    assert "no space left" in found[0][1]
    assert not any("customers-1" in message for _, message in found), "given away: no fault"


@pytest.mark.parametrize("seed", range(10))
def test_a_standby_holds_one_due_entry_a_customer_however_long_it_lives(
    stores: Stores, metrics: Metrics, seed: int
) -> None:
    random, held = Random(seed), dict[bytes, int]()

    async def follow() -> None:
        copier = Copier(metrics)
        copier.begin(copies(stores, standby=0), "id")
        for offset in range(40):
            changes: list[Change] = [(POSITION_KEY, b"{}")]
            for _ in range(random.randint(0, 6)):
                key, due = b"C%d" % random.randrange(5), random.choice([NEVER, 3, 4, 5])
                gone = random.random() < 0.1
                changes += [(key, None)] if gone else change(key, b"", due)
                held[key] = NEVER if gone else due
            copier.offer(0, changes, offset, 50)
        await copier.stop()
        copier.close()

    asyncio.run(follow())
    entries = set(stores.open(0).keys(PREFIX, PREFIX + b"\xff"))
    assert entries == {key_of(due, key) for key, due in held.items() if due != NEVER}


def test_a_restored_copy_has_the_due_entries_of_its_records(
    stores: Stores, metrics: Metrics
) -> None:
    async def restore() -> None:
        copier = Copier(metrics)
        copier.begin(copies(stores), "id")
        copier.offer(0, [*change(b"C1", b"", 7), *change(b"C2", b"")], 3, 10)
        await copier.stop()
        copier.close()

    asyncio.run(restore())
    assert list(stores.open(0).keys(PREFIX, PREFIX + b"\xff")) == [key_of(7, b"C1")]
