"""`vipcare rules why`: why a rule fires for a customer, and why not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import click

from agents.backtest.archived import ArchiveError
from agents.backtest.choice import ChoiceError, Known, choose_one
from agents.backtest.past import of_clickhouse, of_files, of_kafka
from agents.backtest.why import Answer, warm_from, why_now
from agents.backtest.why_then import why_then
from agents.cli.bank_time import bank_time
from agents.cli.errors import UserError
from agents.cli.params import archive_option
from agents.cli.rules_at_hand import told_at_hand
from agents.cli.why_shown import as_data, as_lines
from agents.clock import BankClock
from agents.core import core_settings
from agents.portrait.names import facts_now
from agents.portrait.sources import (
    SourceError,
    UnknownCustomerError,
    from_kafka,
    from_store,
    has_copy,
    near_reach,
)
from agents.rules_at_hand import AtHand
from agents.terminal import console
from config.load import load_settings
from config.placed_yaml import FileErrors
from config.settings import Settings
from schemas.position import Since
from schemas.rules import RuleDefinition
from streams.rules.hindrances import Gatekeeper
from streams.rules.register import RegisterError

_PROBLEMS = (
    ArchiveError,
    ChoiceError,
    FileErrors,
    RegisterError,
    SourceError,
    UnknownCustomerError,
)


@click.command()
@click.argument("name", metavar="RULE")
@click.argument("customer", metavar="CUSTOMER")
@click.option(
    "--event",
    metavar="[SOURCE/]ID",
    help="Ask about this event: its CloudEvents id, with its source where several have that id.",
)
@archive_option("With --event: an archive in files, as for backtest.")
@click.option(
    "--source",
    type=click.Choice(("kafka", "clickhouse")),
    help="With --event: the archive that a running system has; kafka if nothing is said.",
)
@click.option(
    "--from",
    "place",
    type=click.Choice(("store", "kafka")),
    help="Without --event: where the record is read, as in `vipcare customer show`.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def why(
    name: str,
    customer: str,
    event: str | None,
    files: tuple[Path, ...],
    source: Literal["kafka", "clickhouse"] | None,
    place: Literal["store", "kafka"] | None,
    as_json: bool,
) -> None:
    """Why a rule fires for a customer, and why not.

    Each clause of the condition with what it saw, and by how much it failed; then whatever else
    stands in the way: cooldown, rollout, limit, days, holdout. RULE is the id of a rule in force,
    RULE@VERSION of the register, or a file. Without --event it is asked as things are, and what
    only an event tells stays open; with it the customer's archived events are played again, up to
    that one and what followed.

    \b
    vipcare rules why unusual-amount C100042
    vipcare rules why unusual-amount C100042 --event 4619cb89d4-1204
    vipcare rules why my-rule.yaml C100042 --event 4619cb89d4-1204 --events bank.jsonl
    """
    if (files or source) and event is None:
        option = "--events" if files else "--source"
        raise UserError(f"{option} is where an event is looked for: name it with --event ID")
    if files and source:
        raise UserError("--events and --source are two archives: name one")
    settings = load_settings()
    try:
        at_hand = told_at_hand(settings)
        known = at_hand.by_id
        rule = choose_one(name, at_hand.with_versions([name], settings), settings)
        if event is None:
            answer, kept = _now(settings, rule, known, customer, place)
        else:
            answer = _then(settings, rule, at_hand, customer, event, files, source)
            kept = {} if files else near_reach(settings, customer)
        if not answer.has_history and (status := _status(name, rule, at_hand)):
            answer = answer.with_status(status)
        since = 0 if files else warm_from(settings, rule, known, kept)
        zone = core_settings(settings).time_zone
    except _PROBLEMS as error:
        raise UserError(str(error)) from None
    if as_json:
        click.echo(json.dumps(as_data(rule, customer, answer, since), ensure_ascii=False, indent=2))
        return
    screen = console()
    for line in as_lines(rule, customer, answer, since, zone):
        screen.print(line, soft_wrap=True)


def _status(name: str, rule: RuleDefinition, at_hand: AtHand) -> Gatekeeper | None:
    """How it stands now, where its definition does not say so."""
    if isolation := at_hand.isolation(rule):
        return Gatekeeper("status", False, f"it is {isolation}")
    if "@" in name and at_hand.by_id.get(rule.id) != rule:
        return Gatekeeper("status", False, "this version is not in force now", idle=True)
    return None


def _then(
    settings: Settings,
    rule: RuleDefinition,
    at_hand: AtHand,
    customer: str,
    event: str,
    files: tuple[Path, ...],
    source: str | None,
) -> Answer:
    if files:
        past, now = of_files(files), BankClock.from_settings(settings.clock).now()
    elif source == "clickhouse":
        now = BankClock.from_settings(settings.clock).now()
        past = of_clickhouse(settings, customer, now)
    else:
        now = bank_time(settings)
        past = of_kafka(settings, customer, now)
    return why_then(settings, rule, at_hand.by_id, customer, event, past, now, at_hand.book)


def _now(
    settings: Settings, rule: RuleDefinition, known: Known, customer: str, place: str | None
) -> tuple[Answer, Mapping[str, Since] | None]:
    """And how far back the windows of the customer's partition reach, where that is told."""
    now = bank_time(settings)
    near = has_copy(settings, customer) if place is None else place == "store"
    found = from_store(settings, customer) if near else from_kafka(settings, customer)
    if found.warning:
        click.echo(f"vipcare: warning: {found.warning}", err=True)
    answer = why_now(settings, rule, known, found.record, facts_now(settings.kafka), now)
    return answer, found.reach
