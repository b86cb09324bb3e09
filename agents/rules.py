"""Rules from files to a compiled set, with every problem at its file, line and column."""

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from pathlib import Path

from config.load_rules import SHIPPED, RuleFile, RuleFileErrors, read_rule_files
from config.placed_yaml import FileProblem
from streams.attributes import NONE_DECLARED, Attributes
from streams.calendar import WEEKENDS_ONLY, Calendar
from streams.context import CoreSettings
from streams.durations import DAY_MS
from streams.rules.errors import RuleErrors, RuleProblem
from streams.rules.examples import failures
from streams.rules.ruleset import RuleSet, compile_rules


def read_rules(
    paths: Sequence[Path] = (),
    *,
    lateness: int = 30 * DAY_MS,
    attributes: Attributes = NONE_DECLARED,
    zone: tzinfo = UTC,
    calendar: Calendar = WEEKENDS_ONLY,
) -> tuple[RuleSet, list[RuleFile]]:
    """Read, check and compile the rules of files and folders; none means those shipped.

    `lateness` in milliseconds. Raises RuleFileErrors with everything that is wrong.
    """
    files = read_rule_files(paths or (SHIPPED,))
    try:
        definitions = [file.definition for file in files]
        rules = compile_rules(
            definitions, lateness=lateness, attributes=attributes, zone=zone, calendar=calendar
        )
    except RuleErrors as error:
        raise RuleFileErrors(_placed(error.problems, files)) from None
    return rules, files


def try_examples(files: Sequence[RuleFile], settings: CoreSettings) -> None:
    """Play the examples of all rules but the retired, each by itself as if it were live for all.

    Raises RuleFileErrors with every example that says otherwise.
    """
    problems: list[RuleProblem] = []
    for file in files:
        rule = file.definition
        if rule.examples and rule.status != "retired":
            alone = compile_rules(
                [rule.model_copy(update={"status": "live", "holdout": None, "rollout": 100})],
                lateness=settings.lateness,
                attributes=settings.attributes,
                zone=settings.time_zone,
                calendar=settings.calendar,
            )
            problems += failures(alone, settings)
    if problems:
        raise RuleFileErrors(_placed(problems, files))


def _placed(problems: Iterable[RuleProblem], files: Sequence[RuleFile]) -> list[FileProblem]:
    by_id = {file.definition.id: file for file in files}
    return [by_id[one.rule].problem(one.key, one.column, one.message) for one in problems]
