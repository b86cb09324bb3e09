"""A customer's portrait out of ClickHouse: what the sink stored, tasks and alerts included."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

import msgspec
from clickhouse_driver import Client
from msgspec.structs import replace

from agents.clickhouse import clickhouse_address
from agents.portrait.event_lines import time_line
from agents.portrait.sources import SourceError, UnknownCustomerError
from agents.terminal import in_language
from config.settings import Settings
from schemas.effects import CardDetails
from sinks.clickhouse.address import FAILURES, Address, client_of
from sinks.clickhouse.customer import FoundCustomer, Shown, read_customer, read_open
from sinks.clickhouse.effects import card_of
from sinks.clickhouse.errors import explain
from streams.attributes import Attributes
from streams.fold.cards import in_force
from streams.portrait import masks
from streams.portrait.merchant_categories import category_name
from streams.portrait.parts import (
    Amount,
    Fact,
    Facts,
    Portrait,
    Table,
    Value,
    frequent_first,
    known,
)
from streams.portrait.profile import as_day
from streams.portrait.ties import relation_of

MOST = 50
"""Tasks, alerts and events that are shown at most."""
_DAYS = {"opened_on", "next_maturity"}
_PROFILE = (
    "name",
    "tier",
    "rm",
    "opened_on",
    "residence",
    "language",
    "occupation",
    "family",
    "tags",
    "interests",
    "interest_sources",
    "relations",
    "consents_given",
    "consents_refused",
)
_ASSETS = (
    "base_assets",
    "base_net",
    "accounts",
    "base_balance",
    "deposits",
    "base_deposits",
    "next_maturity",
    "holdings",
    "base_wealth",
    "base_funds",
    "base_insurance",
    "base_other",
    "loans",
    "base_loans",
    "cards",
    "assets_by_month",
    "loans_by_month",
)
_BEHAVIOUR = (
    "base_inflow",
    "base_outflow",
    "base_spent",
    "categories",
    "regular_inflows",
    "base_regular_inflow",
    "contacts",
    "last_contact_at",
    "benefits",
    "base_benefit_cost",
    "benefit_uses",
    "base_benefit_costs",
    "base_contribution",
)


def from_clickhouse(
    settings: Settings,
    customer: str,
    zone: tzinfo,
    today: date,
    *,
    personal: bool,
    declared: Attributes,
) -> Portrait:
    """Raises SourceError and UnknownCustomerError; both say what to do."""
    address = clickhouse_address(settings.clickhouse)
    with _reading(address) as client:
        found = read_customer(client, customer, MOST)
    if found is None:
        raise UnknownCustomerError(
            f"customer {customer!r} is not in ClickHouse at {address}, database "
            f"{settings.clickhouse.database}: is the id right, and has the sink caught up? "
            "--from kafka reads the record itself"
        )
    drawn = clickhouse_portrait(customer, found, zone, today, personal=personal, declared=declared)
    return replace(drawn, base_currency=settings.step.base_currency)


def open_work(settings: Settings, customer: str, zone: tzinfo) -> tuple[Table, Table]:
    """Tasks and alerts that are open: the worker tells them and forgets them, so no record has
    them. Raises SourceError."""
    with _reading(clickhouse_address(settings.clickhouse)) as client:
        tasks, alerts = read_open(client, customer, MOST)
    return _tasks(tasks, zone), _alerts(alerts, zone)


@contextmanager
def _reading(address: Address) -> Iterator[Client]:
    try:
        with client_of(address) as client:
            yield client
    except FAILURES as error:
        raise SourceError(
            f"ClickHouse at {address} cannot be read: {explain(error)} "
            "(VIPCARE_CLICKHOUSE__HOST and …__PORT say where it is)"
        ) from error


def clickhouse_portrait(
    customer: str,
    found: FoundCustomer,
    zone: tzinfo,
    today: date,
    *,
    personal: bool,
    declared: Attributes,
) -> Portrait:
    """The parts that rows tell of; the names of facts are those of columns."""
    summary = found.summary or {}
    profile = [_fact(summary, name, zone) for name in _PROFILE]
    if not personal:
        profile = [_masked(fact) for fact in profile]
    return Portrait(
        customer,
        (
            Facts("profile", known(*profile)),
            Facts("attributes", tuple(_attributes(summary.get("attributes", {}), declared))),
            Facts("assets", known(*(_fact(summary, name, zone) for name in _ASSETS))),
            _cards(summary, today),
            Facts("behaviour", known(*(_fact(summary, name, zone) for name in _BEHAVIOUR))),
            _tasks(found.tasks, zone),
            _alerts(found.alerts, zone),
            time_line(found.events, found.told["events"], MOST, zone),
            _told(found, zone),
        ),
    )


def _fact(row: Shown, name: str, zone: tzinfo) -> Fact:
    value = row.get(name)
    if name == "categories":
        return Fact(name, tuple(map(category_name, value or ())))
    if name == "relations":
        return Fact(name, tuple(" ".join(relation_of(key)) for key in value or ()))
    if isinstance(value, datetime):
        return Fact(name, value.astimezone(zone))
    if isinstance(value, Decimal):
        return Fact(name, Amount(value))
    if isinstance(value, dict):
        told = sorted(value.items())
        return Fact(name, {k: Amount(one) if isinstance(one, Decimal) else one for k, one in told})
    if isinstance(value, str) and name in _DAYS:
        return Fact(name, as_day(value))
    return Fact(name, tuple(value) if isinstance(value, list) else value)


def _masked(fact: Fact) -> Fact:
    hides = fact.name == "name" and isinstance(fact.value, str)
    return Fact(fact.name, masks.head(str(fact.value))) if hides else fact


def _attributes(held: Mapping[str, str], declared: Attributes) -> list[Fact]:
    titles = {name: one.title.model_dump() for name, one in declared.declared.items()}
    return [
        Fact(name, _listed(name, text, declared), titles.get(name))
        for name, text in sorted(held.items())
    ]


def _listed(name: str, text: str, declared: Attributes) -> Value:
    """A list is stored as JSON, unless it was stored when it was no list yet."""
    definition = declared.declared.get(name)
    if definition is not None and definition.type == "texts":
        with suppress(msgspec.DecodeError):
            return tuple(msgspec.json.decode(text, type=list[str]))
    return text


def _cards(summary: Shown, today: date) -> Table:
    standing = summary.get("standing_limits", {})
    rows = tuple(
        (
            one.card,
            one.product or None,
            *_limit(one, standing.get(one.card), today),
            None if one.amount_due is None else Amount(one.amount_due, one.currency),
            None if one.due_on is None else as_day(one.due_on),
        )
        for one in map(card_of, summary.get("card_details", ()))
    )
    columns = ("card", "product", "limit", "limit_until", "last_statement", "due_on")
    return Table("cards", columns, rows)


def _limit(card: CardDetails, standing: Decimal | None, today: date) -> tuple[Value, Value]:
    limit, until = in_force(card.limit, card.limit_until, standing, today)
    shown = None if limit is None else Amount(limit, card.currency)
    return shown, None if until is None else as_day(until)


def _tasks(rows: Sequence[Shown], zone: tzinfo) -> Table:
    return _things("tasks", rows, "priority", zone)


def _alerts(rows: Sequence[Shown], zone: tzinfo) -> Table:
    return _things("alerts", rows, "severity", zone)


def _things(name: str, rows: Sequence[Shown], level: str, zone: tzinfo) -> Table:
    columns = ("time", "state", level, "title", "rule", "due")
    shown = tuple(
        (
            row["time"].astimezone(zone),
            row["state"],
            row[level],
            in_language(row["title"]),
            row["rule_id"],
            _instant(row.get("due"), zone),
        )
        for row in rows
    )
    return Table(name, columns, shown)


def _told(found: FoundCustomer, zone: tzinfo) -> Facts:
    count, summary = found.told, found.summary or {}
    return Facts(
        "clickhouse",
        known(
            Fact("events", count["events"]),
            Fact("first_event", _instant(count["first"] if count["events"] else None, zone)),
            Fact("last_event", _instant(count["last"] if count["events"] else None, zone)),
            Fact("fell_off", frequent_first(summary.get("dropped", {}))),
            Fact("summary_version", summary.get("version")),
        ),
    )


def _instant(value: Any, zone: tzinfo) -> datetime | None:
    return value.astimezone(zone) if isinstance(value, datetime) else None
