"""Whatever somebody writes, checking answers: with an expression, or with what is wrong."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.rules import read_rules
from config.load_rules import RuleFileErrors
from streams.expressions.check import check
from streams.expressions.parse import MAX_LENGTH, ExpressionError
from streams.expressions.scope import Scope
from tests.rules.test_wrong_rules import GOOD

SCOPE = Scope(("transfer.completed",))
PIECES = """and or not in is if else lambda ( ) [ ] { } , . : = == != < >= + - * / ** ' \\" ø 0 3
    1.5 30d true None amount direction tags profile.tier attributes.x count( sum( avg( where= prior=
    _ transfer.completed logged.in round( known( default( __class__ 留学 \\ #"""
WORDS = st.sampled_from([*PIECES.split(), "\t"])


def read(text: str) -> None:
    problem = None
    try:
        check(text, SCOPE)
    except ExpressionError as error:
        problem = error
    if problem:
        assert 1 <= problem.column <= max(1, len(text))
        assert problem.message
        assert "\n" not in problem.message


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=200))
def test_any_text(text: str) -> None:
    read(text)


@pytest.mark.parametrize("part", ["(", "[", "-", "not ", "abs(", "1+", "true and ", "a.", "'"])
def test_long_and_deep_text(part: str) -> None:
    for times in (50, 500, MAX_LENGTH // len(part)):
        read(part * times)
        read(part * times + "1")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_file(tmp_path: Path, data: st.DataObject) -> None:
    """The good rule with a piece cut out and something else put in."""
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 20)))
    pieces = [
        "\t",
        "&a ",
        "*a",
        "!!",
        "{",
        "---\n",
        "x: 1\n",
        "\nlet: ",
        "\nkind: [a]",
        "\n  a: *a",
    ]
    put = data.draw(st.text(max_size=8) | st.sampled_from(pieces))
    path = tmp_path / "rule.yaml"
    path.write_bytes((GOOD[:start] + put + GOOD[end:]).encode("utf-8", "surrogatepass"))
    with contextlib.suppress(RuleFileErrors):
        read_rules([path])
