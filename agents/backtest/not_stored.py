"""What rules look at that the sink does not store, as it identifies a person."""

from collections.abc import Iterable, Iterator

from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.expressions.lists import LISTS
from streams.expressions.nodes import Attribute, Gathered, ItemField, walk
from streams.rules.checked import CheckedRule, check_rule
from streams.waits.own import ATTRIBUTES, FAMILY

BIRTHDAYS = "birthdays"
OWN = "the bank's own attributes"


def not_stored(rules: Iterable[RuleDefinition], core: CoreSettings) -> dict[str, list[str]]:
    """Rule → what it looks at that neither ClickHouse nor a Parquet file of it has."""
    found = {}
    for rule in rules:
        checked = check_rule(rule, core.attributes, core.greetings)
        if isinstance(checked, CheckedRule) and (looks := {*_looks(checked)}):
            found[rule.id] = sorted(looks)
    return found


def _looks(rule: CheckedRule) -> Iterator[str]:
    for wait in rule.waits.dates:
        if wait.kind == FAMILY or wait.date == "birthday":
            yield BIRTHDAYS
        elif wait.date.startswith(ATTRIBUTES):
            yield OWN
    for node in (one for part in rule.looked_at() for one in walk(part)):
        if isinstance(node, Attribute):
            yield OWN
        elif isinstance(node, Gathered) and _asks_ages(node):
            yield BIRTHDAYS


def _asks_ages(node: Gathered) -> bool:
    of_persons = LISTS[node.list].where_only
    return any(isinstance(one, ItemField) and one.name in of_persons for one in walk(node))
