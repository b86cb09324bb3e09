"""`vipcare rules explain`: rules as people say them."""

import json

import click

from agents.backtest.choice import ChoiceError, choose_any
from agents.cli.errors import UserError
from agents.cli.rules_at_hand import told_at_hand
from agents.core import core_settings
from agents.terminal import console, plain
from config.load import load_settings
from config.placed_yaml import FileErrors
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.explain import explain as explained
from streams.rules.register import RegisterError

_LONGEST = 5_000


@click.command()
@click.argument("names", nargs=-1, metavar="[RULE]…")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def explain(names: tuple[str, ...], as_json: bool) -> None:
    """Say rules in words.

    In English and in Chinese, made of what the rule does, not of its title: when it looks, at what,
    what it does then, what its names stand for, how often at most. RULE is the id of a rule in
    force, RULE@VERSION of the register, a file or a folder; without one all rules in force are
    said.
    """
    settings = load_settings()
    try:
        core = core_settings(settings)
        known = told_at_hand(settings, names)
        rules = choose_any(names, known.with_versions(names, settings), settings)
    except (ChoiceError, FileErrors, RegisterError) as error:
        raise UserError(str(error)) from None
    told = {}
    for rule in rules:
        checked = check_rule(rule, core.attributes, core.greetings)
        if not isinstance(checked, CheckedRule):  # an old version may ask for what is gone
            raise UserError("\n".join(map(str, checked)))
        isolated = known.isolation(rule) or None
        head = {"version": rule.version, "status": rule.status, "isolated": isolated}
        name = rule.id
        if (version := f"{rule.id}@{rule.version}") in names:
            name, head["in_force"] = version, known.by_id.get(rule.id) == rule
        said = explained(checked, core.attributes, settings.step.holidays_ahead)
        told[name] = {**head, **said}
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    screen = console()
    for name, one in told.items():
        version = f"{name.partition('@')[0]}@{one['version']}"
        beside = "" if one.get("in_force", True) else ", not in force"
        screen.print(f"[bold]{version}[/bold]  {one['status']}{beside}")
        if one["isolated"]:
            screen.print(plain(str(one["isolated"])))
        for language in ("en", "zh"):
            screen.print(plain(str(one[language]), _LONGEST))
