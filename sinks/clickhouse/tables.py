"""The tables and views: their names, their columns in the order of rows, what goes into which."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from schemas.audit import AUDIT_TOPIC
from schemas.events import INPUT_TOPICS
from schemas.events.reference import GLOBAL_TOPICS
from sinks.clickhouse import audit, effects, events, facts
from sinks.clickhouse.message import Message, Row
from sinks.clickhouse.messages import Picked
from sinks.clickhouse.rows import Rows, row_by_row


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table that is written to; readers use the views."""

    name: str
    columns: tuple[str, ...]
    rows: Callable[[Picked], Rows]
    """Messages as rows in the order of `columns`; what it does not hold is counted."""

    def insert(self, name: str | None = None, columns: Iterable[str] | None = None) -> str:
        """The statement; `name` in place of the table's own, for one of the same columns. Where
        `columns` are named, the others are NULL."""
        told = ", ".join(f"`{column}`" for column in columns or self.columns)
        return f"INSERT INTO {name or self.name} ({told}) VALUES"


def _table(name: str, columns: tuple[str, ...], row: Callable[[Message], Row]) -> Table:
    return Table(name, columns, row_by_row(len(columns), row))


EVENTS = Table("events_raw", events.COLUMNS, events.event_rows)
TASKS = _table("tasks_raw", (*effects.PLACE, *effects.TASK), effects.effect_row)
ALERTS = _table("alerts_raw", (*effects.PLACE, *effects.ALERT), effects.effect_row)
ACTIONS = _table("actions_raw", (*effects.PLACE, *effects.ACTION), effects.effect_row)
DECISIONS = _table("decisions_raw", (*effects.PLACE, *effects.DECISION), effects.effect_row)
CUSTOMERS = _table("customers_raw", (*effects.PLACE, *effects.PROFILE), effects.effect_row)
DEAD_LETTERS = _table(
    "dead_letters_raw",
    ("letter_partition", "letter_offset", "received", *effects.DEAD_LETTER),
    effects.dead_letter_row,
)
FACTS = _table("facts_raw", facts.COLUMNS, facts.fact_row)
AUDIT = _table("audit_raw", audit.COLUMNS, audit.audit_row)
TABLES = (EVENTS, TASKS, ALERTS, ACTIONS, DECISIONS, CUSTOMERS, DEAD_LETTERS, FACTS, AUDIT)

TABLE_OF: dict[str, Table] = {
    **dict.fromkeys(INPUT_TOPICS, EVENTS),
    "vip.tasks": TASKS,
    "vip.alerts": ALERTS,
    "vip.actions": ACTIONS,
    "vip.decisions": DECISIONS,
    "vip.profiles": CUSTOMERS,
    "vip.dead-letters": DEAD_LETTERS,
    **dict.fromkeys(GLOBAL_TOPICS, FACTS),
    AUDIT_TOPIC: AUDIT,
}
"""Topic → the table of its messages. These are the topics that the sink reads."""

VIEWS: dict[str, Table] = {
    "events": EVENTS,
    "events_unique": EVENTS,
    "tasks": TASKS,
    "tasks_current": TASKS,
    "alerts": ALERTS,
    "alerts_current": ALERTS,
    "actions": ACTIONS,
    "decisions": DECISIONS,
    "customers": CUSTOMERS,
    "customers_history": CUSTOMERS,
    "dead_letters": DEAD_LETTERS,
    "facts": FACTS,
    "facts_history": FACTS,
    "exchange_rates": FACTS,
    "interest_rates": FACTS,
    "products": FACTS,
    "rms": FACTS,
    "absences": FACTS,
    "campaigns": FACTS,
    "audit": AUDIT,
}
"""View → the table behind it. A row that was inserted twice counts once here."""
