"""The tables and views: their names, their columns in the order of rows, what goes into which."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.events import INPUT_TOPICS
from sinks.clickhouse import effects, events
from sinks.clickhouse.message import Message, Row


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is written to; readers use the views."""

    name: str
    columns: tuple[str, ...]
    row: Callable[[Message], Row]
    """A message as a row in the order of `columns`; raises Unstorable."""

    @property
    def insert(self) -> str:
        return f"INSERT INTO {self.name} ({', '.join(f'`{name}`' for name in self.columns)}) VALUES"


EVENTS = Table("events_raw", events.COLUMNS, events.event_row)
TASKS = Table("tasks_raw", (*effects.PLACE, *effects.TASK), effects.effect_row)
ALERTS = Table("alerts_raw", (*effects.PLACE, *effects.ALERT), effects.effect_row)
CUSTOMERS = Table("customers_raw", (*effects.PLACE, *effects.PROFILE), effects.effect_row)
DEAD_LETTERS = Table(
    "dead_letters_raw",
    ("letter_partition", "letter_offset", "received", *effects.DEAD_LETTER),
    effects.dead_letter_row,
)
TABLES = (EVENTS, TASKS, ALERTS, CUSTOMERS, DEAD_LETTERS)

TABLE_OF: dict[str, Table] = {
    **dict.fromkeys(INPUT_TOPICS, EVENTS),
    "vip.tasks": TASKS,
    "vip.alerts": ALERTS,
    "vip.profiles": CUSTOMERS,
    "vip.dead-letters": DEAD_LETTERS,
}
"""Topic → the table of its messages. These are the topics that the sink reads."""

VIEWS: dict[str, Table] = {
    "events": EVENTS,
    "events_unique": EVENTS,
    "tasks": TASKS,
    "tasks_current": TASKS,
    "alerts": ALERTS,
    "alerts_current": ALERTS,
    "customers": CUSTOMERS,
    "customers_history": CUSTOMERS,
    "dead_letters": DEAD_LETTERS,
}
"""View → the table behind it. A row that was inserted twice counts once here."""
