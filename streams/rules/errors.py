"""What is wrong with rules: all of it at once, each with its place."""

from collections.abc import Sequence
from typing import NamedTuple

from streams.expressions.parse import ExpressionError

OF_KEY = -1
"""As a column: the key itself is wrong, not what stands behind it."""


class RuleProblem(NamedTuple):
    rule: str
    key: str
    """Where in the rule, such as `let.total` or `then.task.text.zh`."""
    column: int
    """In the text of that key, counted from 1; 0 is the key as a whole."""
    message: str

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column > 0 else ""
        return f"rule {self.rule}: {self.key}{column}: {self.message}"


def problems_of(rule: str, key: str, error: ExpressionError) -> list[RuleProblem]:
    """What is wrong with the expression of a key."""
    return [RuleProblem(rule, key, one.column, one.message) for one in error.each()]


class RuleErrors(Exception):  # noqa: N818  # it holds several
    """Rules that cannot be used. One line for each problem."""

    def __init__(self, problems: Sequence[RuleProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
