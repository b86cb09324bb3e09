"""`vipcare rules`: check rule files as their owner saves them, list what is there."""

from pathlib import Path

import click

from agents.calendar_gap import calendar_gap
from agents.cli.errors import UserError
from agents.cli.rule_doubts import tell_doubts
from agents.cli.rules_at_hand import told_at_hand
from agents.cli.rules_backtest import backtest
from agents.cli.rules_explain import explain
from agents.cli.rules_profile import profile
from agents.cli.rules_publish import approve_, publish, rollback, seed
from agents.cli.rules_register import diff, history, status
from agents.cli.rules_warm import warm
from agents.cli.rules_why import why
from agents.core import core_settings
from agents.rule_doubts import of_folder
from agents.rules import read_rules, try_examples
from agents.rules_at_hand import AtHand
from config.load import load_settings
from config.load_rules import SHIPPED, RuleFile
from config.placed_yaml import FileErrors
from config.settings import Settings
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

    A line for each, with file:line:column; exit status 2 if there is one. What is legal and hardly
    meant is told, too, and changes nothing of that.
    """
    checked, files = _read(paths)
    states = [file.definition.status for file in files]
    counted = ", ".join(f"{states.count(one)} {one}" for one in dict.fromkeys(states))
    taken = f"up to {checked.weight}"
    click.echo(f"ok: {len(files)} rules ({counted}), {taken}, digest {checked.digest[:12]}")
    settings = load_settings()
    tell_doubts(files, settings, lambda: of_folder(settings.worker.rules or SHIPPED))
    if gap := calendar_gap(settings):
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
        found = AtHand(checked, "")
    else:
        found = _in_force(load_settings())
        listed = sorted(found.rules.definitions, key=lambda rule: rule.id)
    for rule in listed:
        isolation = found.isolation(rule)
        status = f"{rule.status} (isolated)" if isolation else rule.status
        facts = [f"{rule.id}@{rule.version}", status, rule.kind, ", ".join(rule.on)]
        if taken := found.rules.weight.by_rule.get(rule.id):
            facts.append(kilobytes(taken))
        click.echo("  ".join(facts))
        click.echo(click.style(f"    {rule.title.en} · {rule.title.zh} ({rule.owner})", dim=True))
        if isolation:
            click.echo(f"    {isolation}")


def _in_force(settings: Settings) -> AtHand:
    """Raises UserError."""
    try:
        return told_at_hand(settings)
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
