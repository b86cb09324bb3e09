"""`vipcare rules seed|publish|approve|rollback`: change what the register of rules says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import click

from agents.cli.errors import UserError
from agents.cli.rule_doubts import tell_doubts
from agents.cli.who import check_who, who_option
from agents.core import core_settings
from agents.reading import ReadingError, newest
from agents.register import check_change
from agents.registrar import Registrar, RegistrarError
from agents.rule_name import RuleNameError, rule_and_version
from agents.rules import read_rules, try_examples
from config.load import load_settings
from config.load_rules import RuleFile, RuleFileErrors
from config.placed_yaml import FileErrors, FileProblem
from config.settings import Settings
from schemas.audit import Deed
from schemas.position import JOURNAL_TOPIC, decode_position
from schemas.rules import RuleDefinition, Status
from streams.rules.errors import RuleErrors
from streams.rules.lifecycle import Change, LifecycleError, approve, is_new, roll_back, seeded
from streams.rules.lifecycle import newest as last
from streams.rules.register import RegisterError, RuleBook


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]…")
@who_option
def seed(paths: tuple[Path, ...], who: str) -> None:
    """Put the rules of files into the empty register.

    Those of worker.rules, or of files and folders, as they stand: live ones are live at once, by
    one person. This is once; afterwards one publishes and another approves. So it has to be what
    the workers run: other rules than the newest chunk of vip.journal was stepped with are refused.
    From then on workers follow the register, and files are read no more.
    """
    settings = load_settings()
    check_who(settings, who, "publishers")
    if not paths and (folder := settings.worker.rules):
        paths = (folder,)
    files = _read(settings, paths)
    with _register(settings, who) as register:
        if register.book.state.active is not None:
            raise UserError("there are rules in the register already: publish and approve others")
        definitions = [file.definition for file in files]
        compared = _compared(settings, register.book, definitions)
        number = register.put_in_force("rules.seeded", seeded(definitions), _brought(files))
    where = ", ".join(map(str, paths)) or "those that ship with vipcare"
    click.echo(f"publication {number}: {len(files)} rules ({where}), by {who} alone; {compared}")
    click.echo("from now on one publishes and another approves")


def _compared(settings: Settings, book: RuleBook, brought: Sequence[RuleDefinition]) -> str:
    """Whether they are what workers run, for people. Raises UserError if they are not."""
    try:
        found = newest(settings.kafka, JOURNAL_TOPIC)
    except ReadingError as error:
        return f"not compared with what workers run ({error})"
    if found is None:
        return "no worker has stepped an event yet"
    there = decode_position(found.value or b"").rules
    here = core_settings(settings).compiled(book.definitions(book.state, brought)).digest
    if here != there:
        raise UserError(
            f"these are not the rules that workers run ({here[:12]} here, {there[:12]} at the "
            "newest chunk of vip.journal), and one person alone puts nothing else in force: name "
            "their folder (worker.rules), and have their attributes and greetings"
        )
    return f"they are what workers run ({here[:12]})"


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@who_option
def publish(paths: tuple[Path, ...], who: str) -> None:
    """Bring new versions of rules into the register.

    For somebody else to approve. Of files and folders; what is there already stays as it is. All
    are checked and their examples played: a line for each problem, with file:line:column, and
    nothing is published. What is legal and hardly meant is told, too: look before it is approved.
    What somebody has removed from the register by other means is brought back, as it was.
    """
    settings = load_settings()
    check_who(settings, who, "authors")
    files = _read(settings, paths)
    with _register(settings, who) as register:
        if register.book.state.active is None:
            raise UserError(
                "there are no rules in the register yet: `vipcare rules seed` puts those into it "
                "that workers have from files"
            )
        new = [file for file in files if _is_new(register, file)]
        lasts = {one.definition.id: last(register.book, one.definition.id) for one in new}
        spoilt = [key.decode() for key in register.book.spoilt()]
        if new or spoilt:
            register.publish(_brought(new))
        in_force = register.book.definitions(register.book.state, ())
    tell_doubts(new, settings, lambda: in_force)
    _tell_what_stands_in_the_way([file.definition for file in new], in_force, settings)
    for key in spoilt:
        click.echo(f"brought back {key}, which somebody had removed or spoilt")
    for file in new:
        rule = file.definition
        before = lasts[rule.id]
        skipped = f" (the one before is {before})" if 0 < before < rule.version - 1 else ""
        click.echo(f"published {rule.id}@{rule.version}, to be {rule.status}{skipped}")
    click.echo(f"{len(new)} published, {len(files) - len(new)} were there already")


def _tell_what_stands_in_the_way(
    new: Sequence[RuleDefinition], in_force: Sequence[RuleDefinition], settings: Settings
) -> None:
    """On standard error, where the new ones do not go with those in force. What they are to take
    the place of may be retired first."""
    tried = {one.id: one.model_copy(update={"status": "shadow"}) for one in new}
    try:
        core_settings(settings).compiled([*({one.id: one for one in in_force} | tried).values()])
    except RuleErrors as error:
        told = f"in doubt: as things are nobody can approve this: {error}"
        click.echo(click.style(told, dim=True), err=True)


@click.command(name="approve")
@click.argument("rules", nargs=-1, required=True, metavar="RULE[@VERSION]…")
@click.option("--status", type=click.Choice(get_args(Status)), help="Else what its file says.")
@who_option
def approve_(rules: tuple[str, ...], status: Status | None, who: str) -> None:
    """Put versions of rules in force.

    Their newest unless named; to retire a rule, the one in force. Not your own: whoever published
    a version cannot approve it. A new rule is in shadow before it is live; a live one is replaced
    at once. Workers follow within a second or two.
    """
    settings = load_settings()
    check_who(settings, who, "publishers")
    with _register(settings, who) as register:
        asked = dict.fromkeys(_named(one) for one in rules)
        made = dict.fromkeys(approve(register.book, *one, status, who) for one in asked)
        changes = [*made]
        for rule, times in Counter(one.rule for one in changes).items():
            if times > 1:
                raise UserError(f"{rule} is named twice: name one version of it")
        _change(register, settings, "rules.approved", changes)


@click.command()
@click.argument("rule")
@click.option("--to", "version", required=True, type=click.IntRange(1), help="A version that was.")
@who_option
def rollback(rule: str, version: int, who: str) -> None:
    """Go back to a version of a rule that has been live.

    Not to your own: whoever published it cannot bring it back.
    """
    settings = load_settings()
    check_who(settings, who, "publishers")
    with _register(settings, who) as register:
        back = roll_back(register.book, rule, version, who)
        _change(register, settings, "rules.rolled_back", [back])


def _change(register: Registrar, settings: Settings, deed: Deed, changes: Sequence[Change]) -> None:
    check_change(register.book, changes, settings)
    number = register.put_in_force(deed, changes)
    for change in changes:
        was = change.before
        before = f"{was.status} {was.version}" if was else "nothing"
        click.echo(
            f"{change.rule}@{change.after.version} is {change.after.status}, after {before}"
            + (", no longer isolated" if change.lifts else "")
        )
    click.echo(f"publication {number}")


@contextmanager
def _register(settings: Settings, who: str) -> Iterator[Registrar]:
    try:
        with Registrar(settings, who) as register:
            yield register
    except (RegistrarError, ReadingError, LifecycleError, RegisterError, FileErrors) as error:
        raise UserError(str(error)) from error


def _read(settings: Settings, paths: Sequence[Path]) -> list[RuleFile]:
    try:
        core = core_settings(settings)
        _, files = read_rules(paths, core)
        try_examples(files, core)
    except FileErrors as error:
        raise UserError(str(error)) from None
    return files


def _is_new(register: Registrar, file: RuleFile) -> bool:
    try:
        return is_new(register.book, file.definition)
    except LifecycleError as error:
        problem: FileProblem = file.problem("version", 0, str(error))
        raise RuleFileErrors([problem]) from None


def _brought(files: Sequence[RuleFile]) -> list[tuple[RuleDefinition, str]]:
    return [(file.definition, file.text) for file in files]


def _named(text: str) -> tuple[str, int | None]:
    try:
        return rule_and_version(text)
    except RuleNameError as error:
        raise UserError(str(error)) from None
