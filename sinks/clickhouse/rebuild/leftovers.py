"""What a rebuild makes beside a table, by its names, and dropping it. SQL alone.

Two rebuilds of a table would drop each other's tables. Nothing in ClickHouse tells whether the
process that made a table lives; but one that does writes into it or has a query that names it.
"""

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

MARK = "_rebuild_"
_FOUND = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND startsWith(name, %(start)s)
ORDER BY engine != 'MaterializedView', name
"""
_ALL = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND position(name, %(mark)s) > 0
ORDER BY name
"""
_SINCE = """
SELECT formatDateTime(min(made), '%%H:%%i:%%S'), dateDiff('second', max(touched), now('UTC'))
FROM
(
    SELECT toTimeZone(metadata_modification_time, 'UTC') AS made, made AS touched
    FROM system.tables
    WHERE database = currentDatabase() AND startsWith(name, %(start)s)
        AND NOT startsWith(name, %(own)s)
    UNION ALL
    SELECT toTimeZone(min(modification_time), 'UTC'), toTimeZone(max(modification_time), 'UTC')
    FROM system.parts
    WHERE database = currentDatabase() AND startsWith(table, %(start)s)
        AND NOT startsWith(table, %(own)s)
    HAVING count() > 0
)
HAVING count() > 0
"""
_NAMED = """
SELECT count() FROM system.processes
WHERE position(query, %(start)s) > 0 AND position(query, %(own)s) = 0
    AND position(query, 'system.processes') = 0
"""
QUIET_S = 60
"""One of which nothing was seen for so long has ended; it reads Kafka no longer without a word."""
DROP = {"max_table_size_to_drop": 0, "max_partition_size_to_drop": 0}


def leftovers(client: Client) -> list[str]:
    """Names of all that stands beside tables, of a rebuild that runs or that was killed."""
    return [name for (name,) in client.execute(_ALL, {"mark": MARK})]


def table_of(name: str) -> str:
    """Beside which table it stands."""
    return name.partition(MARK)[0]


def rebuilding_since(client: Client, table: str, mark: str = "-") -> str | None:
    """Since when another rebuild than that of the mark is under way, as time of day; or None."""
    names = {"start": f"{table}{MARK}", "own": f"{table}{MARK}{mark}"}
    for since, quiet_s in client.execute(_SINCE, names):
        if quiet_s < QUIET_S or client.execute(_NAMED, names)[0][0]:
            return f"{since} UTC"
    return None


def drop_leftovers(client: Client, table: str, mark: str = "") -> list[str]:
    """Drop what rebuilds of a table made beside it, or the one of a mark: views first. Returns the
    names of what ClickHouse does not drop."""
    kept = []
    for (name,) in client.execute(_FOUND, {"start": f"{table}{MARK}{mark}"}):
        try:
            client.execute(f"DROP TABLE IF EXISTS `{name}` SYNC", settings=DROP)
        except ServerException:
            kept.append(name)
    return kept
