"""An archive split by customer into files, so that memory holds a share of it at a time."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import Struct as Packer
from types import TracebackType
from typing import IO, Self
from zlib import crc32

import msgspec

from agents.backtest.archived import UNKNOWN, Archived
from schemas.dead_letters import Reason
from schemas.envelope import to_millis
from schemas.events import INTERNAL
from schemas.events.reference import GLOBAL_TOPICS
from schemas.fields import Instant
from streams.context import CoreSettings
from streams.inputs import Raw
from streams.intake import read
from streams.mirror import MIRRORED, mirrored

BUCKETS = 128
_RELATION = b'"relation.'
_TOGETHER = 64
"""Messages of a share that are written at once."""
_LENGTH = Packer(">I")


class _Dated(msgspec.Struct, gc=False):
    time: Instant


_time_of = msgspec.json.Decoder(_Dated).decode
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[Archived]).decode


class Spill:
    """Files in a folder, one for each share of the customers; facts stay in memory."""

    def __init__(self, folder: Path, core: CoreSettings, now: int) -> None:
        """`now` is the bank's time, epoch milliseconds: nothing was sent after it."""
        self._core = core
        self._now = now
        self._paths = [folder / f"{number}.events" for number in range(BUCKETS)]
        self._files: list[IO[bytes]] = []
        self._held: list[list[Archived]] = [[] for _ in range(BUCKETS)]
        """Of each file, what is not written yet."""
        self.facts: list[tuple[int, Raw]] = []
        """Messages of the global topics with the times from which they hold."""
        self.sizes = [0] * BUCKETS
        """Messages in each file."""
        self.begin: int | None = None
        """The time of the first event; None if there is none."""
        self.end = 0
        """The time of the last one."""
        self.counts: Counter[str] = Counter()
        self._mirrored: set[int] = set()

    def __enter__(self) -> Self:
        self._files = [path.open("wb") for path in self._paths]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for bucket, file in enumerate(self._files):
            if self._held[bucket]:
                self._write(bucket)
            file.close()

    def fill(self, archive: Iterable[Archived]) -> Iterator[None]:
        """Take everything; yields after each message, for whoever shows how far it is."""
        for one in archive:
            if one.topic in GLOBAL_TOPICS:
                self._learn(one)
            else:
                self._take(one)
            yield

    def files(self) -> list[tuple[Path, int]]:
        """Those that hold something, with how much; the largest first."""
        held = [pair for pair in zip(self._paths, self.sizes, strict=True) if pair[1]]
        return sorted(held, key=lambda pair: -pair[1])

    def _learn(self, one: Archived) -> None:
        at = event_time(one.value)
        if at is None:
            at = max(one.sent, 0)
        self.facts.append((at, Raw(one.topic, 0, one.offset, one.key, one.value)))

    def _take(self, one: Archived) -> None:
        at = event_time(one.value)
        if at is not None:
            sent = self._now if one.sent == UNKNOWN else one.sent
            if at > sent + self._core.future_tolerance:
                self.counts[f"dead:{Reason.FUTURE}"] += 1
                return
            self.end = max(self.end, at)
            if self.begin is None or at < self.begin:
                self.begin = at
        self._put(one)
        if (told := mirror_of(one, self._core)) is None:
            return
        if (same := hash(told.value)) not in self._mirrored:  # it may have been sent twice
            self._mirrored.add(same)
            self._put(told)

    def _put(self, one: Archived) -> None:
        bucket = crc32(one.key) % BUCKETS
        held = self._held[bucket]
        held.append(one)
        self.sizes[bucket] += 1
        if len(held) == _TOGETHER:
            self._write(bucket)

    def _write(self, bucket: int) -> None:
        packed = _pack(self._held[bucket])
        self._files[bucket].write(_LENGTH.pack(len(packed)) + packed)
        self._held[bucket].clear()


def mirror_of(one: Archived, core: CoreSettings) -> Archived | None:
    """What the worker tells the other customer of a relation; an archive of `vip.internal` has it
    again, under the same id."""
    if one.value is None or _RELATION not in one.value:
        return None
    event = read(one.raw(core.partitions), core).input
    if event is None or event.type not in MIRRORED or (told := mirrored(event)) is None:
        return None
    return Archived(INTERNAL, one.offset, told.customer.encode(), told.value)


def unspill(path: Path) -> dict[bytes, list[Archived]]:
    """One file's messages by customer."""
    data, at = path.read_bytes(), 0
    found: dict[bytes, list[Archived]] = {}
    while at < len(data):
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(data, at)[0]
        for one in _unpack(memoryview(data)[start:at]):
            found.setdefault(one.key, []).append(one)
    return found


def event_time(value: bytes | None) -> int | None:
    """An event's or a fact's time, epoch milliseconds; None where it has none."""
    try:
        return to_millis(_time_of(value or b"").time)
    except (ValueError, OverflowError):
        return None
