"""The local copy of one partition's changelog: RocksDB, one folder a partition.

It is never ahead of the changelog and may always be thrown away. Beside the records it holds the
position, under its changelog key, and a mark: which changelog it copies, and how far.
"""

import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

import msgspec
import structlog
from msgspec import Struct
from rocksdict import (
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
)

from agents.clock import real_millis
from schemas.position import (
    POSITION_KEY,
    REACH_KEY,
    Position,
    Since,
    decode_position,
    decode_reach,
)
from sinks.private_folder import make_private

MARK_KEY = b"\x00mark"
_MB = 1024 * 1024
_BLOCK_CACHE_BYTES = 64 * _MB
_WRITE_BUFFER_BYTES = 16 * _MB
_BROKEN = ("Corruption", "No such file")
"""What RocksDB says of a copy that lacks files; not of one that is in use, or of a full disk."""

Change = tuple[bytes, bytes | None]

logger = structlog.get_logger()


class StoreClosedError(Exception):
    """The partition was given away; what was to be written is in the changelog."""


class Mark(Struct, frozen=True):
    """What the copy is of, and how far it goes."""

    topic_id: str
    """The changelog's, so that a changelog made anew is noticed."""
    partition: int
    """So that a folder that was put in another one's place is noticed."""
    offset: int
    """The last offset of the changelog that is in the copy."""
    as_of: int
    """Real time, epoch milliseconds: the copy lacked nothing then. While one is restored it stays
    what it was, for an empty one the time at which the restore began."""


_pack_mark = msgspec.json.Encoder().encode
_unpack_mark = msgspec.json.Decoder(Mark).decode


def read_mark(packed: bytes, partition: int) -> Mark | None:
    """None if it is one of another version's or another partition's."""
    try:
        mark = _unpack_mark(packed)
    except msgspec.ValidationError:
        return None
    return mark if mark.partition == partition else None


class Store:
    """One partition's copy, open. Reads and writes may come from different threads."""

    def __init__(self, path: Path, partition: int, options: Options) -> None:
        self.path = path
        self._partition = partition
        self._options = options
        self._lock = threading.Lock()
        self._db: Rdict | None = _opened(path, options)

    def get(self, key: bytes) -> bytes | None:
        assert self._db is not None, "a closed store is not read"
        found: bytes | None = self._db.get(key)
        return found

    def keys(self, first: bytes, end: bytes) -> Iterator[bytes]:
        """The keys from `first` up to, not including, `end`, as they are now."""
        assert self._db is not None, "a closed store is not read"
        for key in cast(Iterator[bytes], self._db.keys(from_key=first)):
            if key >= end:
                return
            yield key

    def mark(self) -> Mark | None:
        """None if there is none, or one of another version's or another partition's."""
        packed = self.get(MARK_KEY)
        return None if packed is None else read_mark(packed, self._partition)

    def position(self) -> Position | None:
        packed = self.get(POSITION_KEY)
        return None if packed is None else decode_position(packed)

    def reach(self, position: Position) -> dict[str, Since] | None:
        """None if an earlier version, which did not tell, made the last of the records."""
        packed = self.get(REACH_KEY)
        if packed is not None:
            return decode_reach(packed)
        return {} if position.version > 1 else None

    def write(
        self, changes: Iterable[Change], topic_id: str, offset: int, as_of: int | None = None
    ) -> None:
        """Write changes and the mark at once. Raises StoreClosedError after `close`.

        `as_of` is the mark's; None is now, for who knows that nothing lies beyond `offset`.
        """
        batch = WriteBatch(raw_mode=True)
        for key, value in changes:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        now = real_millis() if as_of is None else as_of
        mark = Mark(topic_id, self._partition, offset, now)
        batch.put(MARK_KEY, _pack_mark(mark))
        with self._lock:
            if self._db is None:
                raise StoreClosedError
            self._db.write(batch)

    def confirm(self) -> None:
        """The copy lacks nothing as of now. Without effect without a mark, or after `close`."""
        with self._lock:
            if self._db is None or (mark := self.mark()) is None:
                return
            self._db.put(MARK_KEY, _pack_mark(msgspec.structs.replace(mark, as_of=real_millis())))

    def usable(self, topic_id: str, earliest: int, end: int | None, max_age_ms: int) -> bool:
        """Whether the copy lies within a changelog of this id, from `earliest` up to `end`.

        `end` is None where the broker cannot be trusted with it. A copy older than `max_age_ms`
        that lacks something may lack a removal that Kafka has forgotten since.
        """
        mark = self.mark()
        if mark is None:
            return False
        within = earliest - 1 <= mark.offset and (end is None or mark.offset < end)
        return mark.topic_id == topic_id and within and real_millis() - mark.as_of <= max_age_ms

    @property
    def empty(self) -> bool:
        assert self._db is not None, "a closed store is not read"
        return next(iter(self._db.keys()), None) is None

    def wipe(self) -> None:
        """Throw the copy away and begin an empty one."""
        self.close()
        _remove(self.path)
        self._db = Rdict(str(self.path), self._options)

    def set_aside(self) -> Path:
        """Begin an empty copy and keep this one beside it, in place of one kept earlier: it may be
        all that is left of a changelog that was deleted. Gives the folder."""
        self.close()
        aside = _put_aside(self.path, "other-changelog")
        self._db = Rdict(str(self.path), self._options)
        return aside

    def close(self) -> None:
        with self._lock:
            db, self._db = self._db, None
        if db is None:
            return
        try:
            db.close()
        except Exception as error:  # RocksDB raises plain Exception
            # A full disk, or one that is gone: all that the copy lacks is in the changelog.
            logger.warning("local_store_close_failed", path=self.path, problem=str(error))


def _opened(path: Path, options: Options) -> Rdict:
    try:
        return Rdict(str(path), options)
    except Exception as error:  # RocksDB raises plain Exception
        if not any(told in str(error) for told in _BROKEN):
            raise
        # It is only a copy: all that it held is in the changelog.
        logger.warning("local_store_corrupt", path=path, wiped=True)
        _remove(path)
        return Rdict(str(path), options)


def _remove(folder: Path) -> None:
    """Set aside first: what a kill leaves half removed must not be taken for a copy."""
    shutil.rmtree(_put_aside(folder, "gone"))


def _put_aside(folder: Path, suffix: str) -> Path:
    """Rename it, in place of one that was put aside earlier."""
    aside = folder.with_name(f"{folder.name}.{suffix}")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    return aside


class Stores:
    """The open copies of a worker; they share one block cache."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._options = _options()
        self._open: dict[int, Store] = {}

    def open(self, partition: int) -> Store:
        """Raises Exception of RocksDB's when the folder is in use or the disk fails."""
        store = self._open.get(partition)
        if store is None:
            path = self._folder / f"customers-{partition}"
            make_private(self._folder)
            store = self._open[partition] = Store(path, partition, self._options)
        return store

    @property
    def opened(self) -> Mapping[int, Store]:
        return self._open

    def close(self, partitions: Iterable[int] | None = None) -> None:
        for partition in list(self._open if partitions is None else partitions):
            store = self._open.pop(partition, None)
            if store is not None:
                store.close()


def _options() -> Options:
    """Every size is explicit: RocksDB's own default is a block cache of gigabytes."""
    table = BlockBasedOptions()
    table.set_block_cache(Cache(_BLOCK_CACHE_BYTES))
    table.set_bloom_filter(10, block_based=False)
    table.set_block_size(16 * 1024)
    options = Options(raw_mode=True)
    options.create_if_missing(create_if_missing=True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(_WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(2)
    options.set_max_open_files(128)
    options.set_max_background_jobs(2)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_keep_log_file_num(1)
    options.set_max_total_wal_size(4 * _WRITE_BUFFER_BYTES)
    return options
