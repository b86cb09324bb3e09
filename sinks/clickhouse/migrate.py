"""Numbered .sql files make the tables, each once; a table `migrations` remembers which.

1. A file's statements run in order. Each says IF NOT EXISTS or OR REPLACE, because ClickHouse has
   no transactions for them: a migration that was cut short runs again from its beginning.
2. Then its number, name and SHA-256 are noted. A file that was changed after that is refused.
3. In the end the views get the comments of the columns behind them.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from sinks.clickhouse.address import FAILURES, Address, client_of, greet
from sinks.clickhouse.errors import SILENT, explain
from sinks.clickhouse.rebuild.errors import RebuildError
from sinks.clickhouse.rebuild.hold import settle_left
from sinks.clickhouse.tables import VIEWS

_NAME = re.compile(r"(\d{4})_\w+\.sql")
_STATEMENT_END = re.compile(r";\s*$", re.MULTILINE)
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
SELECT own.name, behind.comment
FROM system.columns AS own
INNER JOIN system.columns AS behind
    ON behind.database = own.database AND behind.name = own.name
WHERE own.database = currentDatabase() AND own.table = %(view)s
    AND behind.table = %(table)s AND own.comment != behind.comment
"""


class MigrationError(Exception):
    """The tables cannot be made; one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    text: str

    @property
    def number(self) -> int:
        return int(self.name[:4])

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statements(self) -> list[str]:
        """What ends in a semicolon at the end of a line."""
        return [part.strip() for part in _STATEMENT_END.split(self.text) if part.strip()]


def shipped() -> list[Migration]:
    """The migrations of this version, by number."""
    folder = files("sinks.clickhouse") / "sql"
    found = [entry for entry in folder.iterdir() if _NAME.fullmatch(entry.name)]
    return sorted(
        (Migration(entry.name, entry.read_text(encoding="utf-8")) for entry in found),
        key=lambda migration: migration.number,
    )


def migrate(
    address: Address,
    migrations: Sequence[Migration] | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> list[str]:
    """Make the database if it is missing and apply what was not applied; returns those names.

    What a rebuild left half done is settled before; `tell` hears of it. Raises MigrationError.
    """
    wanted = shipped() if migrations is None else migrations
    try:
        greet(address)
        with client_of(address, "") as system:
            _make_database(system, address.database)
        with client_of(address) as own:
            for line in settle_left(own):
                tell(line)
            return _apply(own, wanted)
    except RebuildError as error:
        raise MigrationError(str(error)) from error
    except ServerException as error:
        raise MigrationError(f"ClickHouse at {address} refuses: {_first_line(error)}") from error
    except FAILURES as error:
        told = explain(error)
        if told == SILENT:
            told += "; is it running, and is the address right?"
        raise MigrationError(f"ClickHouse at {address}: {told}") from error


def missing(client: Client) -> list[str]:
    """Names of the shipped migrations that the database has not. Raises what the driver raises."""
    try:
        applied = _applied(client)
    except ServerException as error:
        if error.code != ErrorCodes.UNKNOWN_TABLE:
            raise
        applied = {}
    return [migration.name for migration in shipped() if migration.number not in applied]


def _make_database(client: Client, database: str) -> None:
    if not client.execute(f"EXISTS DATABASE `{database}`")[0][0]:
        client.execute(f"CREATE DATABASE IF NOT EXISTS `{database}`")


def _apply(client: Client, migrations: Sequence[Migration]) -> list[str]:
    client.execute(_LEDGER)
    applied = _applied(client)
    if lines := _foreign(migrations, applied):
        raise MigrationError(lines[0])
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
    try:
        return _foreign(shipped(), _applied(client))
    except ServerException as error:
        if error.code != ErrorCodes.UNKNOWN_TABLE:
            raise
        return []


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
    for view, table in VIEWS.items():
        found = client.execute(_UNCOMMENTED, {"view": view, "table": table.name})
        changes = [f"COMMENT COLUMN `{column}` {_quote(text)}" for column, text in found]
        if changes:
            client.execute(f"ALTER TABLE {view} {', '.join(changes)}")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _first_line(error: ServerException) -> str:
    text = str(error.message).split("Stack trace:", maxsplit=1)[0]
    return " ".join(text.removeprefix("DB::Exception:").split())[:300]
