"""Events and facts out of Parquet files that were written of ClickHouse's views.

SELECT * FROM events WHERE … INTO OUTFILE 'events.parquet' FORMAT Parquet  (archive.PLAYABLE)
SELECT * FROM facts_history INTO OUTFILE 'facts.parquet' FORMAT Parquet
"""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from chdb import ChdbError
from chdb.state import connect

from sinks.clickhouse.archive import EVENTS, FACTS, Stored, event_of, fact_of
from sinks.clickhouse.events import FIELDS

_decode_row = msgspec.json.Decoder(list[Any]).decode


_MAGIC = b"PAR1"
_NAMED = 3
_LONGEST = 200
_BESIDE = re.compile(r" \([A-Z_]+\)|: \(in file/uri | In scope SELECT ")
"""What stands behind a message of ClickHouse."""


class _View(NamedTuple):
    name: str
    columns: Sequence[str]
    query: str
    message: Callable[[Sequence[Any]], Stored]


_BOTH = ("topic", "offset", "received", "source", "id", "time")
_OF_EVENTS = _View(
    "events", (*_BOTH, "partition", "type", "customer", "rest", *FIELDS), EVENTS, event_of
)
_OF_FACTS = _View("facts_history", (*_BOTH, "kind", "name", "removed", "data"), FACTS, fact_of)


class ParquetError(ValueError):
    """The file cannot be read; one line."""


def parquet_messages(path: Path) -> Iterator[Stored]:
    """The messages of a file, of events or of facts. Raises ParquetError."""
    _check_ends(path)
    name = str(path.resolve()).replace("\\", "\\\\").replace("'", "\\'")
    source = f"FROM file('{name}', Parquet)"
    connection = connect(":memory:")
    try:
        shape = connection.query(f"DESCRIBE (SELECT * {source})", "JSONCompactEachRow").bytes()
        columns = {_decode_row(line)[0] for line in shape.splitlines()}
        view = _OF_FACTS if "removed" in columns else _OF_EVENTS
        _check_columns(path, view, columns)
        query = f"{view.query} {source} SETTINGS output_format_json_quote_decimals = 1"
        for chunk in connection.send_query(query, "JSONCompactEachRow"):
            for line in chunk.bytes().splitlines():
                yield view.message(_decode_row(line))
    except (ChdbError, RuntimeError, msgspec.MsgspecError) as error:
        raise _refused(path, _said(str(error))) from error
    finally:
        connection.close()


def _check_ends(path: Path) -> None:
    try:
        with path.open("rb") as file:
            begins = file.read(len(_MAGIC))
            file.seek(max(0, path.stat().st_size - len(_MAGIC)))
            ends = file.read()
    except OSError as error:
        raise ParquetError(f"{path}: {error.strerror}") from error
    if begins != _MAGIC:
        raise _refused(path, "it does not begin as Parquet does")
    if ends != _MAGIC:
        raise _refused(path, "its end is missing: it was not written or not copied whole")


def _check_columns(path: Path, view: _View, columns: set[str]) -> None:
    if lacking := [name for name in view.columns if name not in columns]:
        more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
        what = ", ".join(lacking[:_NAMED]) + more
        raise _refused(path, f"it has no {what}; write all columns (*) of the view {view.name}")


def _refused(path: Path, why: str) -> ParquetError:
    return ParquetError(
        f"{path} is no Parquet file of ClickHouse's view events or facts_history: {why}"
    )


def _said(error: str) -> str:
    """What ClickHouse means, without its codes and its version."""
    text = " ".join(error.split()).rpartition("DB::Exception: ")[2]
    return _BESIDE.split(text, maxsplit=1)[0][:_LONGEST].rstrip(". ")
