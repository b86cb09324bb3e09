"""The numbered .sql files of this version."""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

_NAME = re.compile(r"(\d{4})_\w+\.sql")
_STATEMENT_END = re.compile(r";\s*$", re.MULTILINE)


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
