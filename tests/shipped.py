"""The rules that vipcare ships, as tests compile them."""

from config.load_greetings import read_greetings
from config.load_rules import SHIPPED, read_rule_files
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.greetings import Greetings

GREETINGS = Greetings(read_greetings())
"""That the rules choose from."""
PLAIN = CoreSettings(partitions=1, greetings=GREETINGS)


def shipped_rules() -> list[RuleDefinition]:
    return [file.definition for file in read_rule_files([SHIPPED])]
