"""What a rebuild makes beside a table, by its names, and dropping it. SQL alone."""

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
DROP = {"max_table_size_to_drop": 0, "max_partition_size_to_drop": 0}


def leftovers(client: Client) -> list[str]:
    """Names of all that stands beside tables, of a rebuild that runs or that was killed."""
    return [name for (name,) in client.execute(_ALL, {"mark": MARK})]


def table_of(name: str) -> str:
    """Beside which table it stands."""
    return name.partition(MARK)[0]


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
