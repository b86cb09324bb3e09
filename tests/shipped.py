"""The rules that vipcare ships, as tests compile them."""

from config.load_rules import SHIPPED, read_rule_files
from schemas.rules import RuleDefinition


def shipped_rules() -> list[RuleDefinition]:
    return [file.definition for file in read_rule_files([SHIPPED])]
