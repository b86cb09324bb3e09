"""Rules from files to a compiled set, with every problem at its file, line and column."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from config.load_rules import SHIPPED, RuleFile, RuleFileErrors, read_rule_files
from config.placed_yaml import FileProblem
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.rules.checked import unknown_scores
from streams.rules.errors import RuleErrors, RuleProblem
from streams.rules.examples import bare, failures
from streams.rules.ruleset import RuleSet

_PLAIN = CoreSettings(partitions=1)


def read_rules(
    paths: Sequence[Path] = (), core: CoreSettings = _PLAIN
) -> tuple[RuleSet, list[RuleFile]]:
    """Read, check and compile the rules of files and folders; none means those shipped.

    Raises RuleFileErrors with everything that is wrong.
    """
    files = read_rule_files(paths or (SHIPPED,))
    definitions = [file.definition for file in files]
    try:
        rules = core.compiled(definitions)
    except RuleErrors as error:
        raise RuleFileErrors(_placed(error.problems, files)) from None
    is_whole = not paths or any(path.is_dir() for path in paths)
    if is_whole and (problems := [*unknown_scores(definitions)]):
        raise RuleFileErrors(_placed(problems, files))
    return rules, files


def try_examples(files: Sequence[RuleFile], settings: CoreSettings) -> None:
    """Play the examples of all rules but the retired, each by itself as if it were live for all.

    Raises RuleFileErrors with every example that says otherwise.
    """
    problems = [one for file in files for one in try_example(file.definition, settings)]
    if problems:
        raise RuleFileErrors(_placed(problems, files))


def try_example(rule: RuleDefinition, settings: CoreSettings) -> list[RuleProblem]:
    """The examples of one rule that say otherwise."""
    if not rule.examples or rule.status == "retired":
        return []
    tried = {"status": "live", "holdout": None, "rollout": 100}
    core = bare(settings)
    alone = core.compiled([rule.model_copy(update=tried)])
    return list(failures(alone, core))


def _placed(problems: Iterable[RuleProblem], files: Sequence[RuleFile]) -> list[FileProblem]:
    by_id = {file.definition.id: file for file in files}
    return [by_id[one.rule].problem(one.key, one.column, one.message) for one in problems]
