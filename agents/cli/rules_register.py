"""`vipcare rules status|history|diff`: what the register of rules says, and how it came to that."""

from collections.abc import Iterator
from difflib import unified_diff

import click
from msgspec import MsgspecError

from agents.cli.errors import UserError
from agents.reading import ReadingError, read_partition
from agents.register import isolation, left_out, newest_rules, read_register
from config.load import load_settings
from config.placed_yaml import FileErrors
from config.settings import Settings
from schemas.audit import AUDIT_TOPIC, Audited, RuleChange, decode_audited
from schemas.rule_register import RuleVersion, Standing
from streams.rules.lifecycle import newest
from streams.rules.register import RegisterError, RuleBook


@click.command()
def status() -> None:
    """Say what is in force, as what, and what waits.

    What was sent to the register and cannot be used is told at the end.
    """
    settings = load_settings()
    book = _book(settings)
    state = book.state
    if state.active is None:
        click.echo("the register is empty: workers have their rules from files (worker.rules)")
    else:
        active = state.active
        click.echo(f"publication {active.number}, by {active.by} at {active.at}")
    for rule, standing in sorted(state.active.rules.items() if state.active else ()):
        last = newest(book, rule)
        waits = _newer(book, rule, last, standing) if last > standing.version else ""
        isolated = " (isolated)" if (rule, standing.version) in state.isolated else ""
        click.echo(f"{rule}@{standing.version}  {standing.status}{isolated}{waits}")
    known = state.active.rules if state.active else {}
    for rule in sorted({name for name, _ in book.versions} - known.keys()):
        click.echo(f"{rule}  –{_waits(book, rule, newest(book, rule))}")
    for (rule, version), told in sorted(book.isolations.items()):
        click.echo(f"{rule}@{version} is {isolation(told)}")
    problems = left_out(book)
    try:
        if state.active is not None:
            newest_rules(book, settings)
    except RegisterError as error:
        problems.append(str(error))
    except FileErrors as error:
        raise UserError(str(error)) from None
    for problem in problems:
        click.secho(problem, fg="red")


@click.command()
@click.argument("rule")
def history(rule: str) -> None:
    """Say who did what with a rule, the oldest first."""
    settings = load_settings()
    book = _book(settings)
    if not newest(book, rule):
        raise UserError(_unknown(book, rule))
    lines = [
        (version.at, f"published {rule}@{number}, by {version.author}")
        for (name, number), version in book.versions.items()
        if name == rule and version.author
    ]
    isolated = {
        told.at: f"isolated {rule}@{number}: it raised {told.errors} times in a worker on "
        f"{told.worker}"
        for (name, number), told in book.isolations.items()
        if name == rule
    }
    lines += isolated.items()
    for audited in _audited(settings):
        for change in audited.data.changes:
            at = audited.time.isoformat(timespec="milliseconds")
            if change.rule == rule and audited.type != "rules.published" and at not in isolated:
                lines.append((at, _told(audited, change)))
    for at, line in sorted(lines):
        click.echo(f"{at}  {line}")


@click.command()
@click.argument("rule")
@click.option("--from", "before", type=click.IntRange(1), help="Else the version in force.")
@click.option("--to", "after", type=click.IntRange(1), help="Else the newest.")
def diff(rule: str, before: int | None, after: int | None) -> None:
    """Show what differs between two versions of a rule.

    As their files were written.
    """
    book = _book(load_settings())
    standing = book.state.active.rules.get(rule) if book.state.active else None
    old = before or (standing.version if standing else newest(book, rule))
    new = after or newest(book, rule)
    one, other = (_version(book, rule, number).source.splitlines() for number in (old, new))
    for line in unified_diff(one, other, f"{rule}@{old}", f"{rule}@{new}", lineterm=""):
        click.echo(line)


def _book(settings: Settings) -> RuleBook:
    try:
        return read_register(settings.kafka)
    except ReadingError as error:
        raise UserError(str(error)) from error


def _audited(settings: Settings) -> Iterator[Audited]:
    try:
        for found in read_partition(settings.kafka, AUDIT_TOPIC, 0):
            try:
                yield decode_audited(found.value or b"")
            except MsgspecError:  # something else that somebody did
                continue
    except ReadingError as error:
        raise UserError(str(error)) from error


def _told(audited: Audited, change: RuleChange) -> str:
    was = f", before {change.before.status} {change.before.version}" if change.before else ""
    deed = audited.type.removeprefix("rules.").replace("_", " ")
    now = f"{change.rule}@{change.version} {change.status}"
    data = audited.data
    number = f" (publication {data.number})" if data.number else ""
    warmed = data.warmed
    of = f": {warmed.customers:,} customers, from {warmed.since:%Y-%m-%d} on" if warmed else ""
    return f"{deed} {now}{was}, by {audited.subject}{number}{of}"


def _newer(book: RuleBook, rule: str, version: int, standing: Standing) -> str:
    """Of a version behind the one in force: nobody is to bring back what was given up."""
    if version in standing.lived:
        return f"  ({rule}@{version} was live)"
    return _waits(book, rule, version)


def _waits(book: RuleBook, rule: str, version: int) -> str:
    return f"  ({rule}@{version} by {_version(book, rule, version).author} waits for approval)"


def _version(book: RuleBook, rule: str, version: int) -> RuleVersion:
    found = book.versions.get((rule, version))
    if found is None:
        raise UserError(_unknown(book, rule))
    return found


def _unknown(book: RuleBook, rule: str) -> str:
    there = sorted(version for name, version in book.versions if name == rule)
    if there:
        return f"of {rule} there is version {', '.join(map(str, there))} in the register"
    return f"there is no rule {rule} in the register"
