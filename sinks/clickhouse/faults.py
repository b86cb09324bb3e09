"""What a database lacks of its schema, and making it again. Nothing is ever dropped."""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from sinks.clickhouse.schema import Schema, same_type
from sinks.clickhouse.tables import VIEWS

_THERE = "SELECT name FROM system.tables WHERE database = currentDatabase()"
_COLUMNS = "SELECT table, name, type FROM system.columns WHERE database = currentDatabase()"


class Fault(NamedTuple):
    """A table or view, or a column of it, that is missing or has another type."""

    name: str
    is_view: bool
    column: str = ""
    is_so: str = ""
    """The type of the column; empty if it is missing."""
    wanted: str = ""

    def __str__(self) -> str:
        if not self.column:
            return f"{'view' if self.is_view else 'table'} {self.name} is missing"
        column = f"column {self.name}.{self.column}"
        return (
            f"{column} is {self.is_so}, not {self.wanted}" if self.is_so else f"{column} is missing"
        )

    @property
    def mended(self) -> bool:
        """Whether `mend` makes it as it should be. A type it leaves alone: values may be lost."""
        return self.is_view or not self.is_so

    @property
    def advice(self) -> str:
        if self.mended:
            return "make it again with `vipcare migrate`"
        return (
            f"`ALTER TABLE {self.name} MODIFY COLUMN {self.column} {self.wanted}` gives it its type"
        )


def faults_of(client: Client, schema: Schema) -> list[Fault]:
    """Tables first. Raises what the driver raises."""
    there = {name for (name,) in client.execute(_THERE)}
    columns: dict[str, dict[str, str]] = {}
    for name, column, type_ in client.execute(_COLUMNS):
        columns.setdefault(name, {})[column] = type_
    faults: list[Fault] = []
    for table, wanted in schema.tables.items():
        if table not in there:
            faults.append(Fault(table, is_view=False))
            continue
        types = {column: one.type for column, one in wanted.items()}
        faults += _different(table, columns.get(table, {}), types, is_view=False)
    for view, query in schema.views.items():
        if view not in there:
            faults.append(Fault(view, is_view=True))
            continue
        with suppress(ServerException):  # what it reads is missing, and was told above
            told = client.execute(f"DESCRIBE TABLE ({query})")
            types = {column: type_ for column, type_, *_ in told}
            faults += _different(view, columns.get(view, {}), types, is_view=True)
    return faults


def mend(client: Client, schema: Schema) -> list[str]:
    """Make what is missing; a line for each. Raises what the driver raises."""
    tables = [one for one in faults_of(client, schema) if one.mended and not one.is_view]
    _make_again(client, schema, {one.name for one in tables if not one.column})
    for one in tables:
        if one.column:
            _add(client, schema, one)
    views = [one for one in faults_of(client, schema) if one.is_view]
    _make_again(client, schema, {one.name for one in views})
    return [_told(one) for one in (*tables, *views)]


def _different(
    name: str, types: dict[str, str], wanted: dict[str, str], *, is_view: bool
) -> Iterator[Fault]:
    for column, type_ in wanted.items():
        is_so = types.get(column, "")
        if not same_type(is_so, type_):
            yield Fault(name, is_view, column, is_so, type_)


def _make_again(client: Client, schema: Schema, names: set[str]) -> None:
    for name, statement in schema.statements:
        if name in names:
            client.execute(statement)


def _add(client: Client, schema: Schema, fault: Fault) -> None:
    """In its place: readers see columns in their order."""
    columns = schema.tables[fault.name]
    names = [*columns]
    place = names.index(fault.column)
    where = f"AFTER `{names[place - 1]}`" if place else "FIRST"
    client.execute(
        f"ALTER TABLE {fault.name} ADD COLUMN IF NOT EXISTS `{fault.column}` "
        f"{columns[fault.column].definition} {where}"
    )


def _told(fault: Fault) -> str:
    if fault.is_view:
        return f"{fault}: made again"
    views = [view for view, table in VIEWS.items() if table.name == fault.name]
    filling = f": `vipcare sink rebuild {views[0]}` fills it" if views else ""
    return f"{fault}: made again, empty{filling}"
