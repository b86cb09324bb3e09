"""`vipcare events`: check events and facts in a file, or send them."""

from collections import Counter
from typing import BinaryIO

import click

from agents.cli.errors import UserError
from agents.clock import BankClock
from agents.core import core_settings
from agents.event_file import Line, no_lines, read_lines, spread_json
from agents.sending import Sending, SendingError
from config.load import load_settings
from config.placed_yaml import FileErrors

_SHOWN = 20

_FILE = click.argument("file", type=click.File("rb"))


@click.group()
def events() -> None:
    """Check events in a file, or send them to Kafka.

    FILE has one event a line: a CloudEvent as JSON, or a line that `vipcare bank --out` wrote.
    Facts (exchange rates, products, RMs, ...) may be among them: they go to bank.reference and
    bank.org. {"key": "exchange_rate:USD", "value": null} takes one away.
    `-` reads standard input. schemas/README.md describes every type.
    """


@events.command("check")
@_FILE
def check(file: BinaryIO) -> None:
    """Say which lines of FILE are broken, and why.

    Exit status 2 if any is.

    Broken is what the worker would make a dead letter, or a fact that it would refuse, as far as
    that can be told without the customers' records and without Kafka: rates are not looked up. What
    it would take without effect is warned of, and what hardly anyone means. The clock is the one of
    the settings.
    """
    lines = _read(file)
    _warn(lines)
    broken = [line for line in lines if line.problem]
    if broken:
        raise UserError("\n".join([*_complaints(file, broken), f"{_of(broken, lines)} broken"]))
    click.echo(f"{_count(lines)}, none broken")


@events.command("send")
@_FILE
@click.option("--topic", help="Send there, instead of where each event's type belongs.")
@click.option("--as-is", is_flag=True, help="Send broken lines as well, if they say where to.")
def send(file: BinaryIO, topic: str | None, as_is: bool) -> None:
    """Send the events of FILE, keyed by subject.

    If a line is broken, none is sent. Facts and events count in the order of the lines, as far as
    the worker keeps up: where one follows the other, sending waits a second. So long it takes until
    a worker has read a new rate; whoever sends rates by other means waits likewise.
    """
    lines = _read(file)
    _warn(lines)
    placed = [line._replace(topic=topic or line.topic) for line in lines]
    refused = [*_refusals(placed, as_is)]
    if refused:
        outcome = f"{_of(refused, lines)} refused, none was sent"
        if any(line.problem and line.key and line.topic for line in lines):
            outcome += "; --as-is sends broken lines too, to become dead letters"
        raise UserError("\n".join([*_complaints(file, refused), outcome]))
    try:
        with Sending(load_settings().kafka, {line.topic for line in placed}) as sending:
            for line in placed:
                sending.send(line.topic, line.key, line.value)
    except SendingError as error:
        raise UserError(str(error)) from error
    by_topic = Counter(line.topic for line in placed)
    where = ", ".join(f"{count} to {name}" for name, count in sorted(by_topic.items()))
    click.echo(f"{_count(lines)} sent: {where}")


def _read(file: BinaryIO) -> list[Line]:
    settings = load_settings()
    try:
        raw = file.read()
        if told := no_lines(raw):
            raise UserError(f"{file.name} is {told}")
        now = BankClock.from_settings(settings.clock).now()
        lines = list(read_lines(raw.split(b"\n"), core_settings(settings), now))
    except FileErrors as error:
        raise UserError(str(error)) from None
    except OSError as error:
        raise UserError(f"{file.name}: {error.strerror}") from error
    if hint := spread_json(raw):
        raise UserError(f"{file.name}: {hint}")
    if not lines:
        raise UserError(f"{file.name}: there is no event in it")
    return lines


def _refusals(lines: list[Line], as_is: bool) -> list[Line]:
    refused = []
    for line in lines:
        if line.problem and not (as_is and line.key and line.topic):
            refused.append(line)
        elif not line.topic:
            what = f"type {line.unknown!r} is unknown: say where it belongs with --topic"
            refused.append(line._replace(problem=what))
    return refused


def _warn(lines: list[Line]) -> None:
    """Of each thing once, at its first line."""
    first: dict[str, Line] = {}
    for line in lines:
        if line.unknown:
            first.setdefault(f"type {line.unknown!r} is unknown and is skipped", line)
        for name in line.undeclared:
            # What is no word stands there by mistake, and may be personal.
            told = name if name.isidentifier() else "(no name)"
            what = f"attribute {told!r} is not declared and is left out (config/README.md)"
            first.setdefault(what, line)
        for what in line.odd:
            first.setdefault(what, line)
    for what, line in first.items():
        click.echo(f"vipcare: warning: line {line.number}: {what}", err=True)
    idle = [line for line in lines if line.idle]
    for line in idle[:_SHOWN]:
        click.echo(f"vipcare: warning: line {line.number}: {line.idle}", err=True)
    if more := len(idle[_SHOWN:]):
        click.echo(f"vipcare: warning: {more} more lines count once or not at all", err=True)


def _complaints(file: BinaryIO, lines: list[Line]) -> list[str]:
    shown = [f"{file.name}:{line.number}: {line.problem}" for line in lines[:_SHOWN]]
    more = len(lines) - len(shown)
    return [*shown, *([f"and {more} more lines"] if more else [])]


def _count(lines: list[Line]) -> str:
    return f"{len(lines)} event{'' if len(lines) == 1 else 's'}"


def _of(some: list[Line], lines: list[Line]) -> str:
    return f"{len(some)} of {_count(lines)}"
