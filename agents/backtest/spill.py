"""An archive split by customer: in memory while it is small, else into files, so that memory holds
a share of it at a time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import Struct as Packer
from typing import NamedTuple
from zlib import crc32

import msgspec

from agents.backtest.archived import DATED_AHEAD, Archived
from schemas.dead_letters import Reason
from schemas.envelope import to_millis
from schemas.events import INTERNAL
from schemas.events.reference import GLOBAL_TOPICS
from schemas.fields import Instant
from schemas.place import Place
from streams.backtest.whys import Whys
from streams.context import CoreSettings
from streams.inputs import Raw
from streams.intake import read
from streams.mirror import MIRRORED, mirrored
from streams.partitioning import partition_of

ROOM = 64 * 1024 * 1024
"""Bytes that memory has for messages before they go into files. An archive that fits (of some
100,000 events) is played before a second process would have begun."""
_HELD_BYTES = 256
"""What a message takes in memory, its value apart."""
_SHARES = 128
_NOW_AND_THEN = 1_000
_LENGTH = Packer(">I")

Customers = dict[bytes, list[Archived]]
"""Key → what the archive has of it, in its order."""


class _Glance(msgspec.Struct, gc=False):
    time: Instant
    type: str = ""


_glance = msgspec.json.Decoder(_Glance).decode
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Customers).decode


class Share(NamedTuple):
    """Some of the customers."""

    path: Path
    """Of the file that has their messages, unless they are held; what is made of them goes beside
    it."""
    size: int
    """So many messages."""
    held: Customers

    def take(self) -> Iterator[tuple[bytes, list[Archived]]]:
        """Each customer's messages, by key; the file is gone then."""
        customers = self.held or _read(self.path)
        yield from sorted(customers.items())
        self.path.unlink(missing_ok=True)


class Spill:
    """All shares of an archive. Facts stay in memory."""

    def __init__(self, folder: Path, core: CoreSettings, now: int) -> None:
        """`now` is the bank's time, epoch milliseconds: nothing was sent after it."""
        self._core = core
        self._now = now
        self._paths = [folder / f"{number}.events" for number in range(_SHARES)]
        self._written = [0] * _SHARES
        """Messages in each file."""
        self._held: defaultdict[bytes, list[Archived]] = defaultdict(list)
        """What is in no file yet."""
        self._room = ROOM
        self.messages = 0
        self.facts: list[tuple[int, Raw]] = []
        """Messages of the global topics with the times from which they hold."""
        self.begin: int | None = None
        """The time of the first event; None if there is none."""
        self.end = 0
        """The time of the last one."""
        self.counts: Counter[str] = Counter()
        self.whys = Whys()
        self._mirrored: set[int] = set()

    @property
    def is_in_files(self) -> bool:
        """Else memory had room for everything."""
        return any(self._written)

    def fill(self, archive: Iterable[Archived]) -> Iterator[None]:
        """Take everything; yields now and then, for whoever shows how far it is."""
        for self.messages, one in enumerate(archive, 1):
            if one.topic in GLOBAL_TOPICS:
                self._learn(one)
            else:
                self._take(one)
            if not self.messages % _NOW_AND_THEN:
                yield
        if self.is_in_files:
            self._write()

    def shares(self) -> list[Share]:
        """Those that have something; the largest first."""
        held = self._held_by_share()
        sizes = [
            size + sum(map(len, some.values()))
            for size, some in zip(self._written, held, strict=True)
        ]
        shares = [Share(*one) for one in zip(self._paths, sizes, held, strict=True) if one[1]]
        return sorted(shares, key=lambda share: -share.size)

    def _learn(self, one: Archived) -> None:
        at = event_time(one.value)
        if at is None:
            at = max(one.sent, 0)
        self.facts.append((at, Raw(one.topic, 0, one.offset, one.key, one.value)))

    def _take(self, one: Archived) -> None:
        at, kind = time_and_type(one.value)
        if at is not None:
            if one.is_dated_ahead(at, self._now, self._core.future_tolerance):
                self.counts[f"dead:{Reason.FUTURE}"] += 1
                place = Place(one.topic, one.partition, one.offset)
                self.whys.add(Reason.FUTURE, DATED_AHEAD, [place])
                return
            self.end = max(self.end, at)
            if self.begin is None or at < self.begin:
                self.begin = at
        self._hold(one)
        if kind in MIRRORED and (told := mirror_of(one, self._core)) is not None:
            same = hash(told.value)
            if same not in self._mirrored:  # it may have been sent twice
                self._mirrored.add(same)
                self._hold(told)

    def _hold(self, one: Archived) -> None:
        self._held[one.key].append(one)
        self._room -= len(one.value or b"") + _HELD_BYTES
        if self._room < 0:
            self._write()

    def _write(self) -> None:
        for share, held in enumerate(self._held_by_share()):
            if held:
                packed = _pack(held)
                with self._paths[share].open("ab") as file:
                    file.write(_LENGTH.pack(len(packed)) + packed)
                self._written[share] += sum(map(len, held.values()))
        self._held.clear()
        self._room = ROOM

    def _held_by_share(self) -> list[Customers]:
        held: list[Customers] = [{} for _ in range(_SHARES)]
        for key, some in self._held.items():
            held[crc32(key) % _SHARES][key] = some
        return held


def _read(path: Path) -> Customers:
    found: defaultdict[bytes, list[Archived]] = defaultdict(list)
    with path.open("rb") as file:
        while length := file.read(_LENGTH.size):
            for key, some in _unpack(file.read(*_LENGTH.unpack(length))).items():
                found[key] += some
    return found


def mirror_of(one: Archived, core: CoreSettings) -> Archived | None:
    """What the worker tells the other customer of a relation, of an event of a type in MIRRORED; an
    archive of `vip.internal` has it again, under the same id."""
    event = read(one.raw(partition_of(one.key, core.partitions)), core).input
    if event is None or (told := mirrored(event)) is None:
        return None
    return Archived(INTERNAL, one.offset, told.customer.encode(), told.value)


def time_and_type(value: bytes | None) -> tuple[int | None, str]:
    """Of an event or a fact: its time, epoch milliseconds, and its type; None and nothing of what
    is neither."""
    try:
        seen = _glance(value or b"")
        return to_millis(seen.time), seen.type
    except (ValueError, OverflowError, RecursionError):
        return None, ""


def event_time(value: bytes | None) -> int | None:
    """An event's or a fact's time, epoch milliseconds; None where it has none."""
    return time_and_type(value)[0]
