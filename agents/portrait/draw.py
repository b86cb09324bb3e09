"""The portrait of one customer, from wherever it is asked for."""

from datetime import date
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from agents.clock import BankClock
from agents.core import declared_attributes
from agents.portrait.from_clickhouse import from_clickhouse, stored_facts
from agents.portrait.names import facts_now, with_names
from agents.portrait.open_work import with_open_work
from agents.portrait.sources import from_kafka, from_store, has_copy
from agents.rules_at_hand import RulesAtHand
from config.settings import Settings
from schemas.envelope import from_millis
from streams.portrait import portrait
from streams.portrait.parts import Portrait

Place = Literal["store", "kafka", "clickhouse"]


class Drawn(NamedTuple):
    portrait: Portrait
    source: str
    """Where it was read, for people."""
    warnings: tuple[str, ...] = ()
    """Why it may not be the latest, or not whole."""


def draw(settings: Settings, customer: str, place: Place | None, *, personal: bool) -> Drawn:
    """`place` None is the worker's store where this machine has it, else Kafka; with the open tasks
    and alerts out of ClickHouse.

    Raises SourceError, UnknownCustomerError and FileErrors; they say what to do.
    """
    zone, declared = ZoneInfo(settings.step.time_zone), declared_attributes(settings)
    today = _today(settings, zone)
    if place == "clickhouse":
        drawn = from_clickhouse(
            settings, customer, zone, today, personal=personal, declared=declared
        )
        drawn = with_names(drawn, stored_facts(settings), personal=personal)
        return Drawn(drawn, f"ClickHouse, database {settings.clickhouse.database}")
    near = has_copy(settings, customer) if place is None else place == "store"
    found = from_store(settings, customer) if near else from_kafka(settings, customer)
    drawn = portrait(
        found.record,
        zone,
        today,
        personal=personal,
        declared=declared,
        rules=RulesAtHand(settings).now(),
        base_currency=settings.step.base_currency,
    )
    drawn = with_names(drawn, facts_now(settings.kafka), personal=personal)
    if place is not None:
        return Drawn(drawn, found.source, _said(found.warning))
    whole = with_open_work(settings, drawn, zone)
    source = found.source if whole.warning else f"{found.source}; tasks and alerts: ClickHouse"
    return Drawn(whole.portrait, source, _said(found.warning, whole.warning))


def _said(*warnings: str) -> tuple[str, ...]:
    return tuple(one for one in warnings if one)


def _today(settings: Settings, zone: ZoneInfo) -> date:
    return from_millis(BankClock.from_settings(settings.clock).now()).astimezone(zone).date()
