"""One customer as ClickHouse shows it, through the public views."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from clickhouse_driver import Client

Shown = Mapping[str, Any]
"""A row by its columns. Instants are aware, in UTC."""

_SUMMARY = "SELECT * FROM customers WHERE customer = %(customer)s"
_TASKS = """
SELECT time, task_id, state, kind, priority, due, title, rule_id FROM tasks_current
WHERE customer = %(customer)s ORDER BY state = 'open' DESC, time DESC LIMIT %(most)s
"""
_ALERTS = """
SELECT time, alert_id, state, kind, severity, title, rule_id FROM alerts_current
WHERE customer = %(customer)s ORDER BY state = 'open' DESC, time DESC LIMIT %(most)s
"""
_ACTIONS = """
SELECT time, action, name, text, rule_id FROM actions
WHERE customer = %(customer)s AND changed ORDER BY time DESC, action_id LIMIT %(most)s
"""
_EVENTS = """
SELECT time, type, amount, currency, direction, account, card, merchant, category, country,
    counterparty_country, channel, page, page_topic, journey, product, about, severity, task,
    outcome, reason, score, rest
FROM events_unique WHERE customer = %(customer)s
ORDER BY time DESC, topic, partition, offset DESC LIMIT %(events)s
"""
_COUNT = "SELECT count() AS events, min(time) AS first, max(time) AS last FROM events_unique "
_COUNT += "WHERE customer = %(customer)s"

_FACTS = "SELECT kind, name, data FROM facts WHERE kind IN %(kinds)s"


class FoundCustomer(NamedTuple):
    summary: Shown | None
    """None if the sink has not stored one."""
    tasks: Sequence[Shown]
    """As they are now; open ones first, then the newest first."""
    alerts: Sequence[Shown]
    actions: Sequence[Shown]
    """What rules did by themselves and asked for, the newest first."""
    events: Sequence[Shown]
    """The newest first, each once."""
    told: Shown
    """`events`: how many events there are, with the times of the `first` and the `last`."""


def read_customer(client: Client, customer: str, most: int) -> FoundCustomer | None:
    """At most so many tasks, alerts and actions, and ten times as many events, of which several
    may make one line; None if nothing is there of this customer.

    Raises what the driver raises (sinks.clickhouse.address.FAILURES).
    """
    given = {"customer": customer, "most": most, "events": 10 * most}
    summary = _rows(client, _SUMMARY, given)
    (count,) = _rows(client, _COUNT, given)
    if not summary and not count["events"]:
        return None
    return FoundCustomer(
        summary[0] if summary else None,
        _rows(client, _TASKS, given),
        _rows(client, _ALERTS, given),
        _rows(client, _ACTIONS, given),
        _rows(client, _EVENTS, given),
        count,
    )


def read_open(client: Client, customer: str, most: int) -> tuple[list[Shown], list[Shown]]:
    """At most so many tasks and alerts that are open, the newest first. Raises as above."""
    given = {"customer": customer, "most": most}
    tasks, alerts = (_rows(client, query, given) for query in (_TASKS, _ALERTS))
    return [one for one in tasks if _is_open(one)], [one for one in alerts if _is_open(one)]


def read_facts(client: Client, kinds: Sequence[str]) -> list[Shown]:
    """Facts in force of these kinds: `kind`, `name`, `data` as JSON. Raises as above."""
    return _rows(client, _FACTS, {"kinds": kinds})


def _is_open(row: Shown) -> bool:
    return bool(row["state"] == "open")


def _rows(client: Client, query: str, given: Mapping[str, object]) -> list[Shown]:
    rows, columns = client.execute(query, given, with_column_types=True)
    names = [name for name, _ in columns]
    return [dict(zip(names, row, strict=True)) for row in rows]
