"""What config/rules/README.md shows is taken by `rules check`: rules, parts of rules, conditions.

The values that it lists are those that the rules ask for.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from agents.cli.main import run
from config.load_attributes import read_attributes
from config.load_rules import SHIPPED
from schemas.events import EVENT_TYPES
from schemas.events.campaign import BROADCAST_TYPES
from schemas.rules import RuleDefinition
from streams.attributes import Attributes
from streams.rules.compiler import compile_rules
from streams.rules.errors import RuleErrors
from tests.shipped import shipped_rules
from tests.values import listed_values

README = (SHIPPED / "README.md").read_text(encoding="utf-8")
GUIDE = (SHIPPED.parent / "README.md").read_text(encoding="utf-8")
SNIPPETS = [
    snippet
    for text in (README, GUIDE)
    for snippet in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    if not re.match(r"(occasion|# vipcare.yaml|attributes|title)", snippet)
]
"""All but settings, greetings, attributes and calendars."""
TASK = {"task": {"text": {"en": "-", "zh": "-"}}}
HEAD = {"id": "a", "version": 1, "title": {"en": "A", "zh": "甲"}, "kind": "care", "owner": "B",
        "status": "live"}  # fmt: skip
REST = {"on": "page.viewed", "if": "true", "then": TASK}


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda one: one.split("\n")[0])
def test_a_snippet_is_taken(
    snippet: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yaml = YAML()
    if snippet.startswith("  without:"):
        snippet = f"on: journey.started\nwait:\n  for: 30m\n{snippet}"
    part: dict[str, Any] = yaml.load(snippet)
    if "examples" in part:  # of the rule that stands first
        part = yaml.load(SNIPPETS[0]) | part
    rest = {name: one for name, one in REST.items() if name != "on" or "every: year" not in snippet}
    path = tmp_path / "rule.yaml"
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(HEAD | rest | part, file)
    assert run(["rules", "test" if "examples" in part else "check", str(path)]) == 0, (
        capsys.readouterr().err
    )


SECTIONS = ("Conditions", "Looking back: windows", "What the customer has: lists",
            "What holds for all customers")  # fmt: skip
DECLARED = Attributes(read_attributes())
GIVEN = {"mean": "base_amount", "a": "1", "b": "2", "x": "1.5", "cost": "base_amount"}


def conditions() -> list[str]:
    """What stands in the cells of the sections' tables, where it is whole."""
    found = []
    for name in SECTIONS:
        section = README.split(f"\n## {name}")[1].split("\n## ")[0]
        rows = re.findall(r"^\|(.*)\|$", section, re.MULTILINE)
        found += [one for row in rows for one in re.findall(r"`([^`]+)`", row)]
    whole = (one for one in dict.fromkeys(found) if re.search(r"[ (]", one) and "…" not in one)
    return [one for one in whole if not re.match(r"(last|this|months) [m\d-]", one)]


@pytest.mark.parametrize("condition", conditions())
def test_a_condition_is_taken(condition: str) -> None:
    """By a rule on some type, as a condition or a value."""
    types = [*EVENT_TYPES.keys() - BROADCAST_TYPES.keys()]
    assert any(_is_taken(condition, one) for one in sorted(types)), condition


def _is_taken(condition: str, event_type: str) -> bool:
    for parts in ({"if": condition}, {"let": {"v": condition}, "if": "known(v)"}):
        names = {name: text for name, text in GIVEN.items()
                 if re.search(rf"\b{name}\b", condition) and condition != name}  # fmt: skip
        rule = HEAD | REST | {"on": event_type} | parts
        for given in (names, {}):
            let = {"let": given | parts.get("let", {})}  # type: ignore[operator]  # of texts
            try:
                compile_rules([RuleDefinition.model_validate(rule | let)], attributes=DECLARED)
            except RuleErrors:
                continue
            return True
    return False


def test_every_value_that_a_rule_asks_for_is_listed() -> None:
    asked = set()
    for rule in shipped_rules():
        said = [rule.if_, rule.unless or "", *map(str, rule.let.values())]
        asked |= {one for text in said for one in re.findall(r"'([^']+)'", text)}
    assert asked - listed_values() - {"in", "out", "present", "CNY", "清明", "清明节"} == set()
    assert len(asked) > 20
