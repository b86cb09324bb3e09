"""The rules that vipcare ships, as tests compile them."""

from functools import cache

from config.load_greetings import read_greetings
from config.load_rules import SHIPPED, read_rule_files
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.greetings import Greetings

GREETINGS = Greetings(read_greetings())
"""That the rules choose from."""
PLAIN = CoreSettings(partitions=1, greetings=GREETINGS)


def shipped_rules() -> list[RuleDefinition]:
    return [*_shipped()]


@cache  # they take a fifth of a second to read
def _shipped() -> tuple[RuleDefinition, ...]:
    return tuple(file.definition for file in read_rule_files([SHIPPED]))
