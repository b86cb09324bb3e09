"""`vipcare rules why`: why a rule fires for a customer, and why not."""

import json
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Literal

import click
import msgspec
from rich.text import Text

from agents.backtest.archived import ArchiveError
from agents.backtest.choice import ChoiceError, Known, choose_one
from agents.backtest.past import of_clickhouse, of_files, of_kafka
from agents.backtest.stood import stood
from agents.backtest.why import Answer, warm_from, why_now, why_then
from agents.cli.bank_time import bank_time
from agents.cli.errors import UserError
from agents.cli.params import archive_option
from agents.cli.rules_at_hand import told_at_hand
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
from agents.terminal import console, in_language, plain
from config.load import load_settings
from config.placed_yaml import FileErrors
from config.settings import Settings
from schemas.envelope import from_millis
from schemas.position import Since
from schemas.rules import RuleDefinition
from streams.rules.asking import Why
from streams.rules.register import RegisterError
from streams.rules.why import Clause

_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}
_PROBLEMS = (
    ArchiveError,
    ChoiceError,
    FileErrors,
    RegisterError,
    SourceError,
    UnknownCustomerError,
)
_NEVER = 2**53
"""Epoch milliseconds of no calendar."""
_COLD = (
    "it is not warm {}: its windows may lack what happened before it came into force "
    "(vipcare rules warm --help)"
)
_COLD_ARCHIVE = "it is not warm {}: it looks further back than the archive goes"
_WHEN = {
    "event": "as the event came",
    "wait": "before it looks",
    "timer": "as its wait ended",
    "answer": "as no answer had come",
    "told": "as customers were told",
    "now": "as things are",
}
_PAUSES = "another event fires it in this stretch of its cooldown, or "
_EXACTLY = "reckoned exactly, in the order of times, its condition is not true"
_BY_TIME = "at its time, as if everything had come in the order of times"


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
            standings = at_hand.book.standings.get(rule.id, ()) if at_hand.book else ()
            answer = _then(settings, rule, known, customer, event, files, source)
            answer = answer.with_remark(stood(settings, rule, standings, answer.came))
            kept = {} if files else near_reach(settings, customer)
        if isolation := at_hand.isolation(rule):
            answer = answer.with_status(f"it is {isolation}")
        elif "@" in name and known.get(rule.id) != rule:
            answer = answer.with_status("this version is not in force now")
        since = 0 if files else warm_from(settings, rule, known, kept)
        zone = core_settings(settings).time_zone
    except _PROBLEMS as error:
        raise UserError(str(error)) from None
    if as_json:
        click.echo(json.dumps(_data(rule, customer, answer, since), ensure_ascii=False, indent=2))
        return
    screen = console()
    for line in _lines(rule, customer, answer, since, zone):
        screen.print(line, soft_wrap=True)


def _then(
    settings: Settings,
    rule: RuleDefinition,
    known: Known,
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
    return why_then(settings, rule, known, customer, event, past, now)


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


def _data(
    rule: RuleDefinition, customer: str, answer: Answer, since: int | None
) -> dict[str, object]:
    told = [
        {
            **msgspec.to_builtins(one),
            "at": from_millis(one.at).isoformat(),
            "holds": one.holds,
            "fires": one.fires,
            "acts": one.acts,
            "warm": _is_warm(one.at, answer.whole_from, since),
        }
        for one in answer.answers
    ]
    return {
        "rule": rule.id,
        "version": rule.version,
        "customer": customer,
        "event": answer.event,
        "order": "taken" if answer.as_taken else "time",
        "remarks": [*answer.remarks],
        "answers": told,
        "changes": msgspec.to_builtins(answer.changes),
    }


def _lines(
    rule: RuleDefinition, customer: str, answer: Answer, since: int | None, zone: tzinfo
) -> Iterator[Text]:
    title = in_language({"en": rule.title.en, "zh": rule.title.zh})
    yield Text.assemble((f"{rule.id}@{rule.version}", "bold"), f"  {title}  ", (customer, "bold"))
    if answer.event:
        yield plain(answer.event)
    for remark in answer.remarks:
        yield Text(remark, "yellow")
    for one in answer.answers:
        yield from _answer_lines(one, _happened(one.when, answer.as_taken), zone)
        if one.at < answer.whole_from:
            yield Text(f"  {_COLD_ARCHIVE.format(_when(answer.whole_from, zone))}", "yellow")
        if since is not None and one.at < since:
            yield Text(f"  {_COLD.format(_when(since, zone))}", "yellow")


def _happened(when: str, as_taken: bool) -> str:
    """Without the journal nobody knows what had come by then."""
    return _BY_TIME if when == "event" and not as_taken else _WHEN[when]


def _answer_lines(one: Why, when: str, zone: tzinfo) -> Iterator[Text]:
    at = f"{from_millis(one.at).astimezone(zone):%Y-%m-%d %H:%M:%S}"
    yield Text(f"{when}, {at}: {_verdict(one, zone)}", "bold")
    if one.late:
        yield Text("  the event came too late: windows are unknown to it", "yellow")
    if one.missing:
        yield _marked(False, one.missing, 1)
    for clause in one.clauses:
        yield from _clause_lines(clause, 1)
    for name, value in one.lets.items():
        yield Text(f"      {name} = {value}", "dim")
    for gate in one.gates:
        yield _marked(gate.open, f"{gate.name}: {gate.told}", 1)
    for wait in one.waits:
        done = "fired" if wait.fired else "waits until"
        yield Text(f"  {done} {_minute(wait.due, zone)}{f' ({wait.about})' if wait.about else ''}")


def _is_warm(at: int, whole_from: int, since: int | None) -> bool | None:
    if at < whole_from:
        return False
    return None if since is None else at >= since


def _when(since: int, zone: tzinfo) -> str:
    if since >= _NEVER:
        return "so far"
    return f"before {_minute(since, zone)}"


def _minute(at: int, zone: tzinfo) -> str:
    return f"{from_millis(at).astimezone(zone):%Y-%m-%d %H:%M}"


def _verdict(one: Why, zone: tzinfo) -> str:
    if one.when == "wait":
        return "it begins to wait" if one.waits else "it has nothing to wait for"
    if one.due is not None:
        return f"it waits until {_minute(one.due, zone)}; if that were now, {_outcome(one)}"
    if one.when == "now" and one.waits and all(wait.fired for wait in one.waits):
        ended = _minute(max(wait.due for wait in one.waits), zone)
        return f"its wait ended {ended}; if that were now, {_outcome(one)}"
    if one.when == "now" and one.holds is None:
        return "it depends on the event that comes"
    return _outcome(one)


def _outcome(one: Why) -> str:
    if one.failed:
        return f"it failed, and what it would do is lost: {one.failed}"
    if one.acts:
        part = ", but for its greeting" if any(not gate.open for gate in one.gates) else ""
        return f"it fires{part}"
    if one.fires:
        return "it fires, and what it would do is recorded instead"
    if one.taken_back:
        return "it does not fire: the event was taken back before it came"
    closed = ", ".join(gate.name for gate in one.gates if not gate.open)
    if one.holds is not True:
        return "it does not fire: its condition is not true"
    pauses = any(gate.name == "cooldown" for gate in one.gates)
    return f"it does not fire: {closed or (_PAUSES if pauses else '') + _EXACTLY}"


def _clause_lines(clause: Clause, depth: int) -> Iterator[Text]:
    seen = ", ".join(f"{name} = {value}" for name, value in clause.seen.items())
    if clause.of_event and clause.holds is None:
        said = "the event says"
    elif clause.off:
        said = f"{seen}: {clause.off}"
    else:
        said = seen
    yield _marked(clause.holds, clause.text, depth, said)
    for part in clause.parts:
        yield from _clause_lines(part, depth + 1)


def _marked(holds: bool | None, text: str, depth: int, said: str = "") -> Text:
    mark, style = _MARKS[holds]
    line = Text("  " * depth).append(mark, style).append(" ").append_text(plain(text, 2_000))
    return line.append_text(Text("    ")).append_text(plain(said, 2_000)) if said else line
