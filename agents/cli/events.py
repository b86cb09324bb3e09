"""`vipcare events`: check events and facts in a file, or send them."""

from collections import Counter
from typing import BinaryIO

import click

from agents.cli.errors import UserError
from agents.core import declared_attributes
from agents.event_file import Line, read_lines
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
    bank.org. `-` reads standard input. schemas/README.md describes every type.
    """


@events.command("check")
@_FILE
def check(file: BinaryIO) -> None:
    """Say which lines of FILE are broken, and why; exit status 2 if any is."""
    lines = _read(file)
    _warn_of_unknown(lines)
    broken = [line for line in lines if line.problem]
    if broken:
        raise UserError("\n".join([*_complaints(file, broken), f"{_of(broken, lines)} broken"]))
    click.echo(f"{_count(lines)}, none broken")


@events.command("send")
@_FILE
@click.option("--topic", help="Send there, instead of where each event's type belongs.")
@click.option("--as-is", is_flag=True, help="Send broken lines of `vipcare bank --out` as well.")
def send(file: BinaryIO, topic: str | None, as_is: bool) -> None:
    """Send the events of FILE, keyed by subject; if a line is broken, none is sent."""
    lines = _read(file)
    _warn_of_unknown(lines)
    placed = [line._replace(topic=topic or line.topic) for line in lines]
    refused = [*_refusals(placed, as_is)]
    if refused:
        outcome = f"{_of(refused, lines)} refused, none was sent"
        if any(line.problem and line.key for line in lines):
            outcome += "; --as-is sends the broken lines of a simulated bank too"
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
    try:
        lines = list(read_lines(file, declared_attributes(load_settings())))
    except FileErrors as error:
        raise UserError(str(error)) from None
    except OSError as error:
        raise UserError(f"{file.name}: {error.strerror}") from error
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


def _warn_of_unknown(lines: list[Line]) -> None:
    first: dict[str, Line] = {}
    undeclared: dict[str, Line] = {}
    for line in lines:
        if line.unknown:
            first.setdefault(line.unknown, line)
        for name in line.undeclared:
            # What is no word stands there by mistake, and may be personal.
            undeclared.setdefault(name if name.isidentifier() else "(no name)", line)
    told = [(line, f"type {name!r} is unknown and is skipped") for name, line in first.items()]
    told += [
        (line, f"attribute {name!r} is not declared and is left out (config/README.md)")
        for name, line in undeclared.items()
    ]
    for line, what in told:
        click.echo(f"vipcare: warning: line {line.number}: {what}", err=True)


def _complaints(file: BinaryIO, lines: list[Line]) -> list[str]:
    shown = [f"{file.name}:{line.number}: {line.problem}" for line in lines[:_SHOWN]]
    more = len(lines) - len(shown)
    return [*shown, *([f"and {more} more lines"] if more else [])]


def _count(lines: list[Line]) -> str:
    return f"{len(lines)} event{'' if len(lines) == 1 else 's'}"


def _of(some: list[Line], lines: list[Line]) -> str:
    return f"{len(some)} of {_count(lines)}"
