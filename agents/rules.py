"""Rules from files to a compiled set, with every problem at its file, line and column."""

from collections.abc import Sequence
from pathlib import Path

from config.load_rules import SHIPPED, RuleFile, RuleFileErrors, read_rule_files
from config.placed_yaml import FileProblem
from streams.attributes import NONE_DECLARED, Attributes
from streams.durations import DAY_MS
from streams.rules.errors import RuleErrors
from streams.rules.ruleset import RuleSet, compile_rules


def read_rules(
    paths: Sequence[Path] = (),
    *,
    lateness: int = 30 * DAY_MS,
    attributes: Attributes = NONE_DECLARED,
) -> tuple[RuleSet, list[RuleFile]]:
    """Read, check and compile the rules of files and folders; none means those shipped.

    `lateness` in milliseconds. Raises RuleFileErrors with everything that is wrong.
    """
    files = read_rule_files(paths or (SHIPPED,))
    try:
        definitions = [file.definition for file in files]
        return compile_rules(definitions, lateness=lateness, attributes=attributes), files
    except RuleErrors as error:
        raise RuleFileErrors(_placed(error, files)) from None


def _placed(error: RuleErrors, files: Sequence[RuleFile]) -> list[FileProblem]:
    by_id = {file.definition.id: file for file in files}
    return [by_id[one.rule].problem(one.key, one.column, one.message) for one in error.problems]
