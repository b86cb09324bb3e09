"""What a rule that is right says and hardly can mean, in any of its expressions."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from streams.attributes import Attributes
from streams.expressions.doubts import Codes, Known, doubts
from streams.expressions.scope import Scope
from streams.rules.checked import CheckedRule, conditions_of, texts_of
from streams.rules.errors import RuleProblem
from streams.rules.never_fires import never_fires, waited_by
from streams.rules.sequence import scopes

_ALWAYS = ("true", "True")
_WIDE = re.compile("[\uff5b\uff5d]")
"""Braces as Chinese keyboards have them."""


class RuleDoubt(NamedTuple):
    problem: RuleProblem
    is_certain: bool
    """It cannot be; else it is legal, and hardly meant."""


def doubts_of(rule: CheckedRule, attributes: Attributes, codes: Codes) -> Iterator[RuleDoubt]:
    """From its steps to its conditions."""
    for key, text, _ in texts_of(rule.definition):
        if found := _WIDE.search(text):
            message = "such a brace is shown as it is: write {name} in plain ones"
            yield RuleDoubt(RuleProblem(rule.definition.id, key, found.start() + 1, message), True)
    if rule.definition.unless in _ALWAYS:
        message = "with this the rule never fires"
        yield RuleDoubt(RuleProblem(rule.definition.id, "unless", 0, message), True)
    known = Known(rule.lets, _counted(rule), codes, waited_by(rule))
    told = [
        RuleDoubt(RuleProblem(rule.definition.id, key, one.column, one.message), one.is_certain)
        for key, text, scope in _expressions(rule, attributes)
        for one in doubts(text, scope, known)
    ]
    yield from told
    if not any(one.is_certain for one in told) and rule.definition.unless not in _ALWAYS:
        for problem in never_fires(rule, known):
            yield RuleDoubt(problem, is_certain=True)


def _counted(rule: CheckedRule) -> frozenset[str]:
    """What a rule that waits for a date, or scores in silence, looks at is no event of its own."""
    written = rule.definition
    at_once = not rule.waits.dates and written.score is None
    return frozenset(written.on) if at_once else frozenset()


def _expressions(rule: CheckedRule, attributes: Attributes) -> Iterator[tuple[str, str, Scope]]:
    """The key of each, its text, and what it sees."""
    written = rule.definition
    steps = rule.sequence.steps if rule.sequence else ()
    for number, one in enumerate(written.sequence.steps if written.sequence else ()):
        if one.if_ is not None:
            before = scopes(steps[:number])
            scope = Scope(steps[number].types, inside="a step", steps=before)
            yield f"sequence.steps.{number}.if", one.if_, scope
    if written.wait and written.wait.without and written.wait.without.where is not None:
        answer = Scope(tuple(written.wait.without.on), inside="an answer")
        yield "wait.without.where", written.wait.without.where, answer
    scope = Scope(tuple(written.on), {}, attributes, steps=scopes(steps))
    for name, text in written.let.items():
        yield f"let.{name}", text, scope  # which sees the lets before it
        scope = replace(scope, lets={**scope.lets, name: rule.lets[name].type})
    for key, text in conditions_of(written):
        yield key, text, scope
