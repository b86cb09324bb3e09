"""One archived message, and archives in files: one event a line, `vipcare bank --out`, Parquet."""

from bisect import bisect_left
from collections.abc import Generator, Iterable, Iterator
from operator import itemgetter
from pathlib import Path

from msgspec import Struct

from agents.bank.lines import from_line, removal_from_line
from agents.event_file import no_lines, spread_json
from schemas.decode import (
    BrokenEventError,
    UnknownTypeError,
    decode_event,
    decode_fact,
    subject_of,
    type_of,
)
from schemas.events import EVENT_TYPES
from schemas.events.reference import FACT_TYPES, TOPIC_OF_KIND
from schemas.place import Place
from streams.inputs import Raw

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BUFFER = 256 * 1024
"""Bytes that are read of a file at once: hundreds of lines."""
_SMALL = 64 * 1024 * 1024
"""Bytes of a file that is looked at as a whole."""
UNKNOWN = -1
DATED_AHEAD = "its time was ahead of the bank's"
_LINES = 2**40
"""The numbers of lines begin here, where no offset of Kafka comes to."""


class ArchiveError(Exception):
    """The archive cannot be read; what to do is in it."""


class Archived(Struct, array_like=True, frozen=True, gc=False):
    topic: str
    offset: int
    """In its topic, or which line it is: it tells which of two at the same time came first."""
    key: bytes
    value: bytes | None
    partition: int = UNKNOWN
    sent: int = UNKNOWN
    """When it was sent, bank time, epoch milliseconds: what is dated much later is refused."""

    def is_dated_ahead(self, at: int, now: int, tolerance: int) -> bool:
        """Whether an event of that time was refused when it was sent: at `now` or before, where
        that is not told. Milliseconds."""
        return at > tolerance + (now if self.sent == UNKNOWN else self.sent)

    def raw(self, partition: int) -> Raw:
        """As the worker would read it. A file says no partition: it is the one where the key
        belongs, so that it is never wrong."""
        if self.partition != UNKNOWN:
            partition = self.partition
        return Raw(self.topic, partition, self.offset, self.key, self.value)


def is_parquet(path: Path) -> bool:
    """Whether it is of what the sink stored, by its name."""
    return path.suffix == ".parquet"


def read_files(paths: Iterable[Path]) -> Iterator[Archived]:
    """See Files."""
    return iter(Files(paths))


class Files:
    """An archive in files, one after the other."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = paths
        self._begins: list[tuple[int, Path]] = []
        """Behind which number the lines of which file stand."""

    def __iter__(self) -> Iterator[Archived]:
        """Every line that is not blank, every row of files that end in .parquet. Raises
        ArchiveError, also for a file in which no line is a message."""
        number = _LINES
        for path in self._paths:
            if is_parquet(path):
                yield from _read_parquet(path)
                continue
            self._begins.append((number, path))
            try:
                number = yield from _read_lines(path, number)
            except OSError as error:
                raise ArchiveError(f"{path}: {error.strerror}") from error

    def place(self, place: Place) -> str:
        """`FILE:LINE` of what was read; of a row the place in Kafka that it tells."""
        found = bisect_left(self._begins, place.offset, key=itemgetter(0)) - 1
        if found < 0:
            return str(place)
        before, path = self._begins[found]
        return f"{path}:{place.offset - before}"


def _read_lines(path: Path, before: int) -> Generator[Archived, None, int]:
    """Returns the number of the last one, if the first follows the one `before`."""
    wrong, is_archive, place = "", False, 0
    with path.open("rb", _BUFFER) as file:
        for place, line in enumerate(file, 1):
            text = line.strip().removeprefix(_BYTE_ORDER_MARK)
            if not text:
                continue
            one = _archived(text, before + place)
            if not is_archive:
                if place == 1 and (told := no_lines(line)):
                    raise ArchiveError(f"{path} is {told}")
                problem = _problem(one)
                wrong, is_archive = wrong or f"{path}:{place}: {problem}", not problem
            yield one
    if wrong and not is_archive:
        raise ArchiveError(_no_archive(path, wrong))
    return before + place


def _problem(one: Archived) -> str:
    """Why it is no message; empty if it is one, be it of a type that is unknown here."""
    if one.value is None:
        return ""
    try:
        (decode_fact if type_of(one.value) in FACT_TYPES else decode_event)(one.value)
    except UnknownTypeError:
        return ""
    except BrokenEventError as error:
        return str(error)
    return ""


def _no_archive(path: Path, wrong: str) -> str:
    """What to say of a file with lines none of which is a message."""
    is_small = path.is_file() and path.stat().st_size <= _SMALL
    if is_small and (hint := spread_json(path.read_bytes())):
        return f"{path}: {hint}"
    return f"{wrong}. No line of this file is an event or a fact"


def _read_parquet(path: Path) -> Iterator[Archived]:
    from sinks.parquet import ParquetError, parquet_messages  # noqa: PLC0415  # a whole ClickHouse

    try:
        for one in parquet_messages(path):
            key = one.key.encode()
            yield Archived(one.topic, one.offset, key, one.value, one.partition)
    except ParquetError as error:
        raise ArchiveError(str(error)) from error


def _archived(line: bytes, number: int) -> Archived:
    """A line as the message that it holds; what is no event becomes a dead letter later on."""
    if (whole := from_line(line)) is not None:
        return Archived(whole.topic, number, whole.key, whole.value, sent=whole.at)
    if (removal := removal_from_line(line)) is not None:
        topic = removal.topic or TOPIC_OF_KIND.get(removal.key.partition(":")[0], "")
        return Archived(topic, number, removal.key.encode(), None)
    name = type_of(line) or ""
    struct = EVENT_TYPES.get(name) or FACT_TYPES.get(name)
    key = (subject_of(line) or "").encode(errors="replace")
    return Archived(struct.topic if struct else "", number, key, line)
