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
from schemas.events.reference import BranchData, ProductFactData
from sinks.clickhouse.address import FAILURES, Address, client_of
from sinks.clickhouse.customer import (
    FoundCustomer,
    Shown,
    read_customer,
    read_facts,
    read_open,
)
from sinks.clickhouse.effects import card_of
from sinks.clickhouse.errors import explain
from streams.attributes import Attributes
from streams.facts import Facts as BankFacts
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
_FACTS = {"product": ProductFactData, "branch": BranchData}
_DAYS = {"opened_on", "next_maturity"}
_PROFILE = (
    "name",
    "tier",
    "rm",
    "opened_on",
    "residence",
    "language",
    "occupation",
    "tags",
)
_CLASSES = {
    "accounts": "base_balance",
    "deposits": "base_deposits",
    "wealth": "base_wealth",
    "funds": "base_funds",
    "insurance": "base_insurance",
    "other": "base_other",
    "loans": "base_loans",
}
"""Fact → its column; the facts have the names that a portrait of the record has. So below."""
_ASSETS = {
    "by_month": "assets_by_month",
    "loans_by_month": "loans_by_month",
    "next_maturity": "next_maturity",
}
_COUNTS = ("accounts", "deposits", "holdings", "loans", "cards")
_BEHAVIOUR = {
    "three_months_in": "base_inflow",
    "three_months_out": "base_outflow",
    "three_months_spent_with_cards": "base_spent",
    "three_months_categories": "categories",
    "contribution_a_year": "base_contribution",
    "regular_inflows": "regular_inflows",
    "regular_inflows_a_month": "base_regular_inflow",
    "contacts": "contacts",
    "last_contact": "last_contact_at",
}


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


def stored_facts(settings: Settings) -> BankFacts:
    """Those that name something; who an RM is, is personal and not stored. Raises SourceError."""
    kinds: dict[str, dict[str, Any]] = {kind: {} for kind in _FACTS}
    with _reading(clickhouse_address(settings.clickhouse)) as client:
        for row in read_facts(client, tuple(_FACTS)):
            fact = msgspec.json.decode(row["data"], type=_FACTS[row["kind"]])
            kinds[row["kind"]][row["name"]] = fact
    return BankFacts(kinds=kinds)


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
    """The parts that rows tell of, under the names that a portrait of the record has."""
    summary = found.summary or {}
    profile = [_fact(summary, name, zone) for name in _PROFILE]
    if not personal:
        profile = [_masked(fact) for fact in profile]
    profile.append(Fact("family_members", summary.get("family") or None))
    profile += [Fact("scores", dict(summary.get("scores", {}))), *_consents(summary)]
    behaviour = (_fact(summary, column, zone, name) for name, column in _BEHAVIOUR.items())
    return Portrait(
        customer,
        (
            Facts("profile", known(*profile)),
            Facts("attributes", tuple(_attributes(summary.get("attributes", {}), declared))),
            Facts("assets", known(*_assets(summary, zone))),
            _cards(summary, today),
            *_ties(summary),
            Facts("behaviour", known(*behaviour)),
            _tasks(found.tasks, zone),
            _alerts(found.alerts, zone),
            _actions(found.actions, zone),
            time_line(found.events, found.told["events"], MOST, zone),
            _told(found, zone),
        ),
    )


def _assets(summary: Shown, zone: tzinfo) -> Iterator[Fact]:
    yield _fact(summary, "base_assets", zone, "total")
    yield _fact(summary, "base_net", zone, "net")
    for name, column in _CLASSES.items():
        if summary.get(column):
            yield _fact(summary, column, zone, name)
    for name, column in _ASSETS.items():
        yield _fact(summary, column, zone, name)
    yield Fact("held", {name: summary[name] for name in _COUNTS if summary.get(name)})


def _consents(summary: Shown) -> Iterator[Fact]:
    """By their purposes, as the record has them."""
    found: dict[str, dict[str, bool]] = {}
    for column, given in (("consents_given", True), ("consents_refused", False)):
        for told in summary.get(column, ()):
            purpose, _, channel = told.rpartition("/")
            found.setdefault(purpose, {})[channel] = given
    for purpose, channels in sorted(found.items()):
        yield Fact(f"consent_{purpose}", dict(sorted(channels.items())))


def _ties(summary: Shown) -> tuple[Table, ...]:
    """Without times: a summary has none of them."""
    sources = summary.get("interest_sources", {})
    costs = summary.get("base_benefit_costs", {})
    used = sorted(summary.get("benefit_uses", {}).items())
    relations = tuple(relation_of(key) for key in summary.get("relations", ()))
    interests = tuple((name, sources.get(name)) for name in summary.get("interests", ()))
    benefits = tuple(
        (name, times, Amount(costs[name]) if name in costs else None) for name, times in used
    )
    return (
        Table("relations", ("customer", "is"), relations),
        Table("interests", ("interest", "known_from"), interests),
        Table("benefits", ("benefit", "times", "in_base_currency"), benefits),
    )


def _fact(row: Shown, column: str, zone: tzinfo, name: str = "") -> Fact:
    value, name = row.get(column), name or column
    if column == "categories":
        return Fact(name, tuple(map(category_name, value or ())))
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


def _actions(rows: Sequence[Shown], zone: tzinfo) -> Table:
    columns = ("time", "what", "about", "text", "rule")
    shown = tuple(
        (
            row["time"].astimezone(zone),
            row["action"],
            row["name"],
            in_language(row["text"]) or None,
            row["rule_id"],
        )
        for row in rows
    )
    return Table("actions", columns, shown)


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
