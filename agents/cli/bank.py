"""`vipcare bank`: the simulated bank, to Kafka or into a file."""

import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain, takewhile
from pathlib import Path
from types import FrameType
from typing import Any

import click

from agents.bank.casting import storylines_of
from agents.bank.facts import facts
from agents.bank.lines import to_line
from agents.bank.live import HISTORY_IS_TOLD, play
from agents.bank.message import SOURCES, Message, iso
from agents.bank.plan import Plan, PlanError, plan_of
from agents.bank.simulation import messages
from agents.bank.storyline_file import StorylineErrors
from agents.cli.errors import UserError
from agents.cli.like_ctrl_c import ends_like_ctrl_c
from agents.cli.out_file import whole_file
from agents.cli.params import DURATION, Rate
from agents.clock import BankClock, setting_millis
from agents.sending import Sending, SendingError
from config.load import load_settings
from config.settings import MAX_BANK_RATE, MAX_HISTORY_DAYS, Settings
from schemas.events.reference import GLOBAL_TOPICS
from streams.durations import DAY_MS

_ORIGIN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
"""Of a file, unless the clock has an origin: a Monday, nine o'clock in Shanghai."""
_FILE_S = 60.0
_PROGRESS_EVERY = 5_000
_TOGETHER_MS = DAY_MS
_SHARE = click.FloatRange(0, 0.5)


@click.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write a file of JSON lines instead of sending (`-`: standard output); the same seed and "
    "origin, the same bytes.",
)
@click.option(
    "--customers",
    type=click.IntRange(1, 1_000_000),
    help="How many; a million begin within seconds and take 200 MB.",
)
@click.option("--seed", type=int, help="What all chances are drawn from.")
@click.option("--rate", type=Rate(MAX_BANK_RATE), help="Live events a second.")
@click.option(
    "--days", "history_days", type=click.IntRange(0, MAX_HISTORY_DAYS), help="Days of history."
)
@click.option("--for", "seconds", type=DURATION, help="End after so long live; a file has 60s.")
@click.option(
    "--skew", type=click.FloatRange(0, 3), help="0: all customers do as much; 1: Zipf's law."
)
@click.option("--duplicates", type=_SHARE, help="The share of events sent twice, such as 0.01.")
@click.option("--late", type=_SHARE, help="The share that arrives hours to weeks late.")
@click.option("--broken", type=_SHARE, help="So many broken messages, as a share of the events.")
@click.option("--mis-keyed", type=_SHARE, help="So many messages under another's key, likewise.")
@click.option(
    "--storylines",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of storylines of your own, see agents/bank/README.md.",
)
def bank(out: Path | None, seconds: float | None, **given: Any) -> None:
    """A simulated VIP bank: its history at once, then live events as the bank clock passes.

    What is not given here comes from the settings (VIPCARE_BANK__…). Live, the history ends now,
    or at the clock's origin. In a file it ends at VIPCARE_CLOCK__ORIGIN, or else on 2026-01-05.

    \b
    vipcare bank                                        to Kafka, until Ctrl-C
    vipcare bank --out bank.jsonl --for 5m              a file to play with
    vipcare bank --out - | vipcare events check -
    vipcare bank --customers 1000000 --days 0 --rate 5000
    vipcare bank --duplicates 0.1 --late 0.05           a bank with bad wires
    """
    settings = load_settings()
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = settings.model_copy(
        update={"bank": settings.bank.model_copy(update=chosen)},
    )
    if out is None:
        _send(settings, seconds)
    else:
        _write(settings, out, seconds or _FILE_S)


def bank_plan(settings: Settings, origin: int) -> Plan:
    """What the bank is going to play. Raises UserError."""
    try:
        plan = plan_of(settings, origin)
        storylines_of(plan)  # now, not when the clock runs
    except (PlanError, StorylineErrors) as error:
        raise UserError(str(error)) from error
    return plan


def _write(settings: Settings, out: Path, seconds: float) -> None:
    plan = bank_plan(settings, setting_millis(settings.clock.origin or _ORIGIN))
    end = plan.origin + round(seconds * 1_000 * plan.pace)
    count = 0
    reads = [one for one in (settings.bank.storylines,) if one is not None]
    try:
        with ends_like_ctrl_c(), whole_file(out, reads) as file:
            told = chain(facts(plan), messages(plan))
            for message in takewhile(lambda message: message.at < end, told):
                file.write(to_line(message) + b"\n")
                count += 1
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from error
    where = "" if str(out) == "-" else f" in {out}"
    click.echo(f"{count:,} messages until {iso(end)}{where}", err=True)


def _send(settings: Settings, seconds: float | None) -> None:
    stopped = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        stopped.set()
        signal.signal(number, signal.SIG_DFL)  # a second one does not wait for Kafka

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    clock = BankClock.from_settings(settings.clock)
    now = clock.now()
    origin = setting_millis(settings.clock.origin) if settings.clock.origin else now
    plan = bank_plan(settings, origin)
    until = None if seconds is None else max(origin, now) + round(seconds * 1_000 * clock.rate)
    try:
        with Sending(settings.kafka, {*SOURCES, *GLOBAL_TOPICS}) as sending:
            for fact in facts(plan):
                sending.send(fact.topic, fact.key, fact.value)
            about = f"{plan.history_days} days of {plan.customers:,} customers"
            click.echo(f"sending to {settings.kafka.bootstrap}: {about}, then live", err=True)
            sent = play(_told(plan, sending.flush), sending.send, clock, until, stopped)
    except SendingError as error:
        raise UserError(str(error)) from error
    click.echo(f"{sent:,} messages sent", err=True)


def _told(plan: Plan, flush: Callable[[], None]) -> Iterator[Message]:
    """The plan's messages; says how the history gets on, and when it is over.

    In the history no topic gets far ahead of the others: what comes long after later events of its
    customer is too late for windows.
    """
    history = 0
    together = plan.start
    told = messages(plan)
    for message in told:
        if message.at >= together:
            flush()
            together = message.at + _TOGETHER_MS
        if message.at >= plan.origin:
            told = chain((message,), told)
            break
        yield message
        history += 1
        if history % _PROGRESS_EVERY == 0:
            click.echo(f"history: {history:,} messages, until {iso(message.at)[:10]}", err=True)
    flush()
    click.echo(f"{HISTORY_IS_TOLD}{history:,} messages; live, {plan.rate:g} a second", err=True)
    yield from told
