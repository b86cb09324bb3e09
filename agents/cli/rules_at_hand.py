"""The rules in force, as commands go by them."""

from collections.abc import Sequence

import click

from agents.backtest.choice import is_path
from agents.core import core_settings
from agents.rules_at_hand import AtHand, at_hand
from config.settings import Settings


def told_at_hand(settings: Settings, names: Sequence[str] = ()) -> AtHand:
    """Where they come from is said on standard error. Where all `names` are files or folders,
    nothing in force is gone by, nor asked for. Raises FileErrors."""
    if names and all(map(is_path, names)):
        return AtHand(core_settings(settings).compiled([]), "of files")
    found = at_hand(settings)
    click.echo(click.style(f"rules {found.source}", dim=True), err=True)
    return found
