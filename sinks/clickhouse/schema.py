"""What migrations make, read from their own SQL: no second copy of it is kept by hand.

It reads the few forms in which the files of `sql` are written. A test compares what it reads with
what ClickHouse has after them, so a new form cannot be overlooked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sinks.clickhouse.migrations import Migration

_REMARK = re.compile(r"^--.*\n", re.MULTILINE)
_OBJECT = re.compile(r"(CREATE TABLE|CREATE OR REPLACE VIEW|ALTER TABLE)(?: IF NOT EXISTS)? (\w+)")
_TEXT = r"'(?:[^'\\]|\\.)*'"
_COLUMN = re.compile(rf"^\s+`(\w+)` (.+?)(?: COMMENT ({_TEXT}))?,?$", re.MULTILINE)
_ADDED = re.compile(
    rf"ADD COLUMN IF NOT EXISTS\s+`(\w+)` (.+?)(?: DEFAULT (\w+))?(?: COMMENT ({_TEXT}))?"
    r"(?: AFTER `(\w+)`)?,?$",
    re.MULTILINE,
)
_COMMENTED = re.compile(rf"COMMENT COLUMN `(\w+)` ({_TEXT})")
_QUERY = re.compile(rf"VIEW \w+ AS\s+(.+?)\s*(?:COMMENT {_TEXT})?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    type: str
    comment: str
    """A literal of SQL."""
    default: str = ""
    """Likewise; empty where it is the type's."""

    @property
    def definition(self) -> str:
        default = f" DEFAULT {self.default}" if self.default else ""
        return f"{self.type}{default} COMMENT {self.comment}"


@dataclass(slots=True)
class Schema:
    tables: dict[str, dict[str, Column]] = field(default_factory=dict)
    """Table → its columns in their order."""
    views: dict[str, str] = field(default_factory=dict)
    """View → its query."""
    statements: list[tuple[str, str]] = field(default_factory=list)
    """Table or view, and what is said of it, in order."""


def schema_of(migrations: Iterable[Migration]) -> Schema:
    """What is there once all of them were applied, in this order."""
    schema = Schema()
    for migration in migrations:
        for statement in migration.statements():
            _read(schema, _REMARK.sub("", f"{statement}\n").strip())
    return schema


def same_type(one: str, other: str) -> bool:
    """ClickHouse writes types with quotes and spaces of its own."""
    return _bare(one) == _bare(other)


def _bare(text: str) -> str:
    return "".join(text.replace("`", "").split())


def _read(schema: Schema, statement: str) -> None:
    told = _OBJECT.match(statement)
    if told is None:
        return
    kind, name = told.groups()
    schema.statements.append((name, statement))
    if kind == "CREATE TABLE":
        columns = _COLUMN.findall(statement)
        schema.tables[name] = {column: Column(type_, text) for column, type_, text in columns}
    elif kind == "CREATE OR REPLACE VIEW":
        found = _QUERY.search(statement)
        schema.views[name] = "" if found is None else found[1]
    elif name in schema.tables:
        schema.tables[name] = _altered(schema.tables[name], statement)


def _altered(columns: dict[str, Column], statement: str) -> dict[str, Column]:
    listed = [*columns.items()]
    for name, type_, default, text, after in _ADDED.findall(statement):
        names = [known for known, _ in listed]
        place = names.index(after) + 1 if after else len(listed)
        listed.insert(place, (name, Column(type_, text, default)))
    altered = dict(listed)
    for name, text in _COMMENTED.findall(statement):
        altered[name] = replace(altered[name], comment=text)
    return altered
