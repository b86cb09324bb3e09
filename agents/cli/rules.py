"""`vipcare rules`: check rule files as their owner saves them, list what is there."""

from pathlib import Path

import click

from agents.calendar_gap import calendar_gap
from agents.cli.errors import UserError
from agents.cli.rules_backtest import backtest
from agents.cli.rules_explain import explain
from agents.cli.rules_profile import profile
from agents.cli.rules_publish import approve_, publish, rollback, seed
from agents.cli.rules_register import diff, history, status
from agents.cli.rules_warm import warm
from agents.cli.rules_why import why
from agents.core import core_settings, rule_set
from agents.reading import ReadingError
from agents.register import rules_in_force, source_of
from agents.rules import read_rules, try_examples
from config.load import load_settings
from config.load_rules import RuleFile
from config.placed_yaml import FileErrors
from config.settings import Settings
from streams.rules.register import RegisterError
from streams.rules.ruleset import RuleSet
from streams.rules.weight import kilobytes

PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]…")


@click.group()
def rules() -> None:
    """Check, test, try or list the rules of files and folders, or of VIPCARE_WORKER__RULES; publish
    them, for workers to follow while they run."""


for command in (
    backtest,
    warm,
    why,
    explain,
    profile,
    seed,
    publish,
    approve_,
    rollback,
    status,
    history,
    diff,
):
    rules.add_command(command)


@rules.command()
@PATHS
def check(paths: tuple[Path, ...]) -> None:
    """Check rules, and say where each problem is.

    A line for each, with file:line:column; exit status 2 if there is one.
    """
    checked, files = _read(paths)
    states = [file.definition.status for file in files]
    counted = ", ".join(f"{states.count(one)} {one}" for one in dict.fromkeys(states))
    taken = f"up to {checked.weight}"
    click.echo(f"ok: {len(files)} rules ({counted}), {taken}, digest {checked.digest[:12]}")
    if gap := calendar_gap(load_settings()):
        click.echo(click.style(f"business days: {gap}", dim=True), err=True)


@rules.command()
@PATHS
def test(paths: tuple[Path, ...]) -> None:
    """Play the examples in the rules.

    What they expect must come, and nothing else. Each rule runs by itself, as if it were live, on
    the events of its example alone. A line for each example that says otherwise, with its place;
    exit status 2 if there is one. A worker does the same when it starts.
    """
    _, files = _read(paths)
    try:
        try_examples(files, core_settings(load_settings()))
    except FileErrors as error:
        raise UserError(str(error)) from None
    tried = [file.definition for file in files if file.definition.status != "retired"]
    counted = sum(len(rule.examples) for rule in tried)
    click.echo(f"ok: {counted} examples of {len(tried)} rules")
    for rule in tried:
        if not rule.examples:
            click.echo(click.style(f"    {rule.id} has no example", dim=True))


@rules.command(name="list")
@PATHS
def list_(paths: tuple[Path, ...]) -> None:
    """List the rules: of files and folders, or those in force.

    What they listen to, whose they are, whether they run, and how much of a customer's record each
    of those that do may take by itself; those that share windows take less together.
    """
    if paths:
        checked, files = _read(paths)
        listed = [file.definition for file in files]
    else:
        checked, source = _in_force(load_settings())
        listed = sorted(checked.definitions, key=lambda rule: rule.id)
        click.echo(click.style(source, dim=True), err=True)
    for rule in listed:
        facts = [f"{rule.id}@{rule.version}", rule.status, rule.kind, ", ".join(rule.on)]
        if taken := checked.weight.by_rule.get(rule.id):
            facts.append(kilobytes(taken))
        click.echo("  ".join(facts))
        click.echo(click.style(f"    {rule.title.en} · {rule.title.zh} ({rule.owner})", dim=True))


def _in_force(settings: Settings) -> tuple[RuleSet, str]:
    """The rules that workers have, and where they come from; where the register cannot be read or
    used, those of files. Raises UserError."""
    try:
        found = rules_in_force(settings, core_settings(settings))
    except (ReadingError, RegisterError) as error:
        return rules_of_files(settings), f"of files: {error}"
    except FileErrors as error:
        raise UserError(str(error)) from None
    return found.rules, source_of(found.state)


def rules_of_files(settings: Settings) -> RuleSet:
    """The rules of a worker while nothing was published. Raises UserError with every problem at
    its place."""
    try:
        return rule_set(settings)
    except FileErrors as error:
        raise UserError(str(error)) from None


def _read(paths: tuple[Path, ...]) -> tuple[RuleSet, list[RuleFile]]:
    settings = load_settings()
    if not paths and (folder := settings.worker.rules):
        paths = (folder,)
    try:
        return read_rules(paths, core_settings(settings))
    except FileErrors as error:
        raise UserError(str(error)) from None
