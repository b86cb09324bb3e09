"""Numbered .sql files make the tables, each once; a table `migrations` remembers which.

1. A file's statements run in order. Each says IF NOT EXISTS or OR REPLACE, because ClickHouse has
   no transactions for them: a migration that was cut short runs again from its beginning.
2. Then its number, name and SHA-256 are noted. A file that was changed after that is refused.
3. In the end the views get the comments of the columns behind them.

Before the first, what applied migrations made and somebody dropped is made again.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager

from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from sinks.clickhouse.address import FAILURES, Address, client_of, greet
from sinks.clickhouse.errors import SILENT, explain
from sinks.clickhouse.faults import Fault, faults_of, mend
from sinks.clickhouse.migrations import Migration, shipped
from sinks.clickhouse.rebuild.errors import RebuildError
from sinks.clickhouse.rebuild.hold import settle_left
from sinks.clickhouse.schema import Schema, schema_of
from sinks.clickhouse.tables import VIEWS

_LEDGER = """
CREATE TABLE IF NOT EXISTS migrations
(
    number UInt32 COMMENT 'Number of the migration: the first four digits of its file name',
    name String COMMENT 'File name of the migration',
    checksum String COMMENT 'SHA-256 of the file, hexadecimal',
    applied DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was applied, real time'
)
ENGINE = ReplacingMergeTree
ORDER BY number
COMMENT 'Migrations that were applied to this database'
"""
_UNCOMMENTED = """
SELECT own.table, own.name, behind.comment
FROM system.columns AS own
INNER JOIN system.columns AS behind
    ON behind.database = own.database AND behind.name = own.name
WHERE own.database = currentDatabase() AND has(%(views)s, (own.table, behind.table))
    AND own.comment != behind.comment
"""


class MigrationError(Exception):
    """The tables cannot be made; one line that says what to do."""


def migrate(
    address: Address,
    migrations: Sequence[Migration] | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> list[str]:
    """Make the database if it is missing and apply what was not applied; returns those names.

    Before that, what a rebuild left half done is settled, and what is missing of what was applied
    is made again; `tell` hears of it. Raises MigrationError.
    """
    wanted = shipped() if migrations is None else migrations
    with _failures_told(address):
        greet(address)
        with client_of(address, "") as system:
            _make_database(system, address.database)
        with client_of(address) as own:
            for line in settle_left(own):
                tell(line)
            return _apply(own, wanted, tell)


def left_alone(address: Address) -> list[Fault]:
    """What `migrate` does not mend. Raises MigrationError."""
    with _failures_told(address), client_of(address) as own:
        return faults(own)


@contextmanager
def _failures_told(address: Address) -> Iterator[None]:
    """Failures in the block are MigrationErrors outside."""
    try:
        yield
    except RebuildError as error:
        raise MigrationError(str(error)) from error
    except ServerException as error:
        raise MigrationError(f"ClickHouse at {address} refuses: {_first_line(error)}") from error
    except FAILURES as error:
        told = explain(error)
        if told == SILENT:
            speaks = ", and does the port speak TLS" if address.tls else ""
            told += f"; is it running, is the address right{speaks}?"
        raise MigrationError(f"ClickHouse at {address}: {told}") from error


def missing(client: Client) -> list[str]:
    """Names of the shipped migrations that the database has not. Raises what the driver raises."""
    applied = _noted(client)
    return [migration.name for migration in shipped() if migration.number not in applied]


def faults(client: Client) -> list[Fault]:
    """Where the database is not what its applied migrations made. Raises what the driver raises."""
    return faults_of(client, _schema(shipped(), _noted(client)))


def _schema(migrations: Sequence[Migration], applied: Container[int]) -> Schema:
    return schema_of(one for one in migrations if one.number in applied)


def _make_database(client: Client, database: str) -> None:
    if not client.execute(f"EXISTS DATABASE `{database}`")[0][0]:
        client.execute(f"CREATE DATABASE IF NOT EXISTS `{database}`")


def _apply(
    client: Client, migrations: Sequence[Migration], tell: Callable[[str], object]
) -> list[str]:
    client.execute(_LEDGER)
    applied = _applied(client)
    if lines := _foreign(migrations, applied):
        raise MigrationError(lines[0])
    for line in mend(client, _schema(migrations, applied)):
        tell(line)
    done = []
    for migration in migrations:
        if migration.number in applied:
            continue
        for statement in migration.statements():
            try:
                client.execute(statement)
            except ServerException as error:
                raise MigrationError(f"migration {migration.name}: {_first_line(error)}") from error
        note = (migration.number, migration.name, migration.checksum)
        client.execute("INSERT INTO migrations (number, name, checksum) VALUES", [note])
        done.append(migration.name)
    _comment_views(client)
    return done


def _applied(client: Client) -> dict[int, tuple[str, str]]:
    """Number → name and checksum."""
    rows = client.execute("SELECT number, name, checksum FROM migrations FINAL")
    return {number: (name, checksum) for number, name, checksum in rows}


def foreign(client: Client) -> list[str]:
    """What the database has and this version does not ship so; one line each that says what to do.

    Raises what the driver raises.
    """
    return _foreign(shipped(), _noted(client))


def _noted(client: Client) -> dict[int, tuple[str, str]]:
    """As `_applied`; empty where nothing was ever applied."""
    try:
        return _applied(client)
    except ServerException as error:
        if error.code != ErrorCodes.UNKNOWN_TABLE:
            raise
        return {}


def _foreign(migrations: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> list[str]:
    known = {migration.number: migration for migration in migrations}
    lines = []
    for number, (name, checksum) in sorted(applied.items()):
        if number not in known:
            lines.append(
                f"the database has migration {name}, which this version of vipcare does not know: "
                "use the version that applied it, or a later one"
            )
        elif known[number].checksum != checksum:
            lines.append(
                f"migration {known[number].name} was changed after it was applied: put the file "
                "back as it was, and write the change into a new migration"
            )
    return lines


def _comment_views(client: Client) -> None:
    views = [(view, table.name) for view, table in VIEWS.items()]
    changes: dict[str, list[str]] = {}
    for view, column, text in client.execute(_UNCOMMENTED, {"views": views}):
        changes.setdefault(view, []).append(f"COMMENT COLUMN `{column}` {_quote(text)}")
    for view, commands in changes.items():
        client.execute(f"ALTER TABLE {view} {', '.join(commands)}")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _first_line(error: ServerException) -> str:
    text = str(error.message).split("Stack trace:", maxsplit=1)[0]
    return " ".join(text.removeprefix("DB::Exception:").split())[:300]
