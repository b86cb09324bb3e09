"""A portrait made of a record, with the open tasks and alerts beside what else is open."""

from datetime import tzinfo
from typing import NamedTuple

from msgspec.structs import replace

from agents.portrait.from_clickhouse import open_work
from agents.portrait.sources import SourceError
from config.settings import Settings
from streams.portrait.parts import Portrait


class Completed(NamedTuple):
    portrait: Portrait
    warning: str = ""
    """Why tasks and alerts are not there."""


def with_open_work(settings: Settings, drawn: Portrait, zone: tzinfo) -> Completed:
    """Out of ClickHouse, where it answers."""
    try:
        tables = open_work(settings, drawn.customer, zone)
    except SourceError as error:
        return Completed(drawn, f"tasks and alerts are not shown: {error}")
    place = [part.name for part in drawn.parts].index("open")
    parts = (*drawn.parts[:place], *tables, *drawn.parts[place:])
    return Completed(replace(drawn, parts=parts))
