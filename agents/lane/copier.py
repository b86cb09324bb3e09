"""From the changelogs into the local copies: of partitions that are restored, and of standbys.

A standby is a copy of a partition that another worker runs, kept within seconds of its changelog,
so that this worker can take the partition over without reading it back. Both are written here, on
a thread: Faust says what is read and from where, and is told how far a restored copy has come.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from agents.clock import real_millis
from agents.fail_points import fail_point
from agents.faults import Fault, die, kind_of
from agents.lane import due
from agents.lane.store import Change, Store, StoreClosedError
from schemas import metrics as m
from sinks.metrics import Metrics

MAX_WAITING = 2
"""Chunks of a partition: one that is written, and one that waits for it."""


@dataclass(slots=True)
class Copy:
    """One partition's copy while it is written from the changelog."""

    store: Store
    standby: bool
    following: int
    """The next offset of the changelog that is not in the copy."""
    end: int
    """Where the changelog ended when last seen. It goes on growing under a standby."""
    as_of: int
    """Real time, epoch milliseconds: the copy lacked nothing then."""
    waiting: int = 0

    @property
    def left(self) -> int:
        """Offsets that the copy lacks: records, and what markers and compaction left of others."""
        return max(0, self.end - self.following)


class Copier:
    """Owns the thread that writes copies; everything else happens on the event loop."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._topic_id = ""
        self._copies: dict[int, Copy] = {}
        self._writes: set[asyncio.Future[None]] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="copier")

    def begin(self, copies: Mapping[int, Copy], topic_id: str) -> None:
        """Write these from now on. `stop` must have ended what was before."""
        assert not self._writes, "stopped first"
        self._copies, self._topic_id = dict(copies), topic_id

    @property
    def restoring(self) -> dict[int, Copy]:
        return {number: copy for number, copy in self._copies.items() if not copy.standby}

    @property
    def standbys(self) -> dict[int, Copy]:
        return {number: copy for number, copy in self._copies.items() if copy.standby}

    def room(self, number: int) -> bool:
        copy = self._copies.get(number)
        return copy is not None and copy.waiting < MAX_WAITING

    def offer(self, number: int, changes: Sequence[Change], offset: int, end: int | None) -> None:
        """Write a piece of a changelog, which goes up to `offset`, of one that ends at `end`."""
        copy = self._copies.get(number)
        if copy is None:
            return  # read for an assignment that ended
        if end is not None:
            copy.end = max(copy.end, end)
            if offset + 1 >= end:
                copy.as_of = real_millis()
        copy.waiting += 1
        work = self._follow if copy.standby else self._restore
        write = asyncio.get_running_loop().run_in_executor(
            self._thread, work, number, copy.store, changes, offset, copy.as_of
        )
        self._writes.add(write)
        write.add_done_callback(lambda done: self._written(done, copy, len(changes), offset))

    def _restore(
        self, number: int, store: Store, changes: Sequence[Change], offset: int, as_of: int
    ) -> None:
        fail_point("restoring")
        self._write(number, store, (*changes, *due.entries(changes)), offset, as_of)
        fail_point("restored")

    def _follow(
        self, number: int, store: Store, changes: Sequence[Change], offset: int, as_of: int
    ) -> None:
        moved = due.replaced(changes, store.get)
        self._write(number, store, chain(changes, moved), offset, as_of)

    def _write(
        self, number: int, store: Store, changes: Iterable[Change], offset: int, as_of: int
    ) -> None:
        try:
            store.write(changes, self._topic_id, offset, as_of)
        except StoreClosedError:
            pass
        except Exception as error:  # RocksDB raises plain Exception
            die(Fault.STORE, f"partition {number}: writing the local store failed: {error}")

    def _written(self, done: "asyncio.Future[None]", copy: Copy, records: int, offset: int) -> None:
        self._writes.discard(done)
        if done.cancelled():
            return
        if (error := done.exception()) is not None:  # the next piece would hide what is missing
            die(Fault.STORE, f"writing {copy.store.path} raised {kind_of(error)}")
        copy.waiting -= 1
        copy.following = offset + 1
        self._metrics.count(m.STANDBY_RECORDS if copy.standby else m.RESTORED, records)

    def restored(self) -> Iterator[tuple[int, int]]:
        """Partition and last offset of what is in a restored copy."""
        for number, copy in self.restoring.items():
            yield number, copy.following - 1

    def confirm(self) -> None:
        """Say of the standbys that lack nothing that they did not become old."""
        for copy in self.standbys.values():
            if not copy.left:
                copy.as_of = real_millis()
                copy.store.confirm()

    def finish(self) -> None:
        """The restored copies are their runners' from here on; the standbys go on."""
        self._copies = self.standbys

    async def stop(self) -> None:
        """Take no more; returns when nothing is being written."""
        self._copies = {}
        if self._writes:
            await asyncio.wait(self._writes)

    def close(self) -> None:
        self._thread.shutdown()
