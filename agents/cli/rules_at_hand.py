"""The rules in force, as commands go by them."""

import click

from agents.rules_at_hand import AtHand, at_hand
from config.settings import Settings


def told_at_hand(settings: Settings) -> AtHand:
    """Where they come from is said on standard error. Raises FileErrors."""
    found = at_hand(settings)
    click.echo(click.style(f"rules {found.source}", dim=True), err=True)
    return found
