"""Who does something with the rules in force: named by `--as`, and known to the settings."""

from typing import Literal

import click

from agents.cli.errors import UserError
from config.settings import Settings

List = Literal["authors", "publishers"]

who_option = click.option("--as", "who", required=True, metavar="NAME", help="Who does this.")


def check_who(settings: Settings, who: str, *lists: List) -> None:
    """Raises UserError unless one of these lists has the name."""
    names = dict.fromkeys(name for one in lists for name in getattr(settings.rules, one))
    if who not in names:
        asked = " or ".join(f"rules.{one}" for one in lists)
        told = ", ".join(names) or "none is named"
        by = " or ".join(f"VIPCARE_RULES__{one.upper()}" for one in lists)
        raise UserError(f"{who} is not one of {asked}: {told}. Set {by}")
