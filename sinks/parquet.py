"""Events and facts out of Parquet files that were written of ClickHouse's views.

SELECT * FROM events WHERE … INTO OUTFILE 'events.parquet' FORMAT Parquet  (archive.PLAYABLE)
SELECT * FROM facts_history INTO OUTFILE 'facts.parquet' FORMAT Parquet
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from chdb import ChdbError
from chdb.state import connect

from sinks.clickhouse.archive import EVENTS, FACTS, Stored, event_of, fact_of

_decode_row = msgspec.json.Decoder(list[Any]).decode


class ParquetError(ValueError):
    """The file cannot be read; one line."""


def parquet_messages(path: Path) -> Iterator[Stored]:
    """The messages of a file, of events or of facts. Raises ParquetError."""
    name = str(path.resolve()).replace("\\", "\\\\").replace("'", "\\'")
    source = f"FROM file('{name}', Parquet)"
    connection = connect(":memory:")
    try:
        shape = connection.query(f"DESCRIBE (SELECT * {source})", "JSONCompactEachRow").bytes()
        columns = {_decode_row(line)[0] for line in shape.splitlines()}
        wanted, made = (FACTS, fact_of) if "removed" in columns else (EVENTS, event_of)
        query = f"{wanted} {source} SETTINGS output_format_json_quote_decimals = 1"
        for chunk in connection.send_query(query, "JSONCompactEachRow"):
            for line in chunk.bytes().splitlines():
                yield made(_decode_row(line))
    except (ChdbError, RuntimeError, msgspec.MsgspecError) as error:
        said = " ".join(str(error).split())[:300]
        raise ParquetError(
            f"{path} is no Parquet file of ClickHouse's view events or facts_history: {said}"
        ) from error
    finally:
        connection.close()
