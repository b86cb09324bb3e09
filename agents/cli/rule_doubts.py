"""What rules say that hardly anyone means, told to whoever checks or publishes them."""

from collections.abc import Callable, Iterable, Sequence

import click

from agents.calendar_gap import bank_date
from agents.core import core_settings
from agents.rule_doubts import hardly_meant
from config.load_rules import RuleFile
from config.settings import Settings
from schemas.rules import RuleDefinition


def tell_doubts(
    files: Sequence[RuleFile], settings: Settings, beside: Callable[[], Iterable[RuleDefinition]]
) -> None:
    """A line for each on standard error; `beside` gives the rules that run."""
    for doubt in hardly_meant(files, core_settings(settings), beside, bank_date(settings)):
        click.echo(click.style(f"in doubt: {doubt}", dim=True), err=True)
