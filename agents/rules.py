"""Rules from files to a compiled set, with every problem at its file, line and column."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from agents.iso_codes import CURRENCIES, countries
from config.load_rules import SHIPPED, RuleFile, RuleFileErrors, read_rule_files
from config.placed_yaml import FileProblem
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.expressions.doubts import Codes
from streams.rules.checked import CheckedRule, check_rule, unknown_scores
from streams.rules.doubts import RuleDoubt, doubts_of
from streams.rules.errors import RuleErrors, RuleProblem
from streams.rules.examples import bare, failures, slips
from streams.rules.ruleset import RuleSet

_PLAIN = CoreSettings(partitions=1)


def read_rules(
    paths: Sequence[Path] = (), core: CoreSettings = _PLAIN
) -> tuple[RuleSet, list[RuleFile]]:
    """Read, check and compile the rules of files and folders; none means those shipped.

    Raises RuleFileErrors with everything that is wrong.
    """
    try:
        files = read_rule_files(paths or (SHIPPED,))
    except RuleFileErrors as error:
        more = [one for file in error.rest for one in _problems(file, core)]
        raise RuleFileErrors(sorted([*error.problems, *more])) from None
    definitions = [file.definition for file in files]
    is_whole = not paths or any(path.is_dir() for path in paths)
    problems = [*unknown_scores(definitions)] if is_whole else []
    problems += [one.problem for one in doubts(files, core) if one.is_certain]
    problems += [one for file in files for one in _slips(file, core)]
    try:
        rules = core.compiled(definitions)
    except RuleErrors as error:
        raise RuleFileErrors(sorted(placed([*error.problems, *problems], files))) from None
    if problems:
        raise RuleFileErrors(placed(problems, files))
    return rules, files


def _problems(file: RuleFile, core: CoreSettings) -> list[FileProblem]:
    """What is wrong with one rule, looked at by itself."""
    if file.definition.status == "retired":
        return []
    found = check_rule(file.definition, core.attributes, core.greetings)
    if not isinstance(found, list):
        found = [one.problem for one in doubts([file], core) if one.is_certain]
    return placed([*found, *_slips(file, core)], [file])


def _slips(file: RuleFile, core: CoreSettings) -> Iterator[RuleProblem]:
    return iter(()) if file.definition.status == "retired" else slips(file.definition, core)


def doubts(files: Iterable[RuleFile], core: CoreSettings) -> Iterator[RuleDoubt]:
    """What rules that are right, but for the retired, say and hardly can mean."""
    codes = Codes(countries(), CURRENCIES)
    for file in files:
        if file.definition.status != "retired":
            found = check_rule(file.definition, core.attributes, core.greetings)
            if isinstance(found, CheckedRule):
                yield from doubts_of(found, core.attributes, codes)


def try_examples(files: Sequence[RuleFile], settings: CoreSettings) -> None:
    """Play the examples of all rules but the retired, each by itself as if it were live for all.

    Raises RuleFileErrors with every example that says otherwise.
    """
    problems = [one for file in files for one in try_example(file.definition, settings)]
    if problems:
        raise RuleFileErrors(placed(problems, files))


def try_example(rule: RuleDefinition, settings: CoreSettings) -> list[RuleProblem]:
    """The examples of one rule that say otherwise."""
    if not rule.examples or rule.status == "retired":
        return []
    tried = {"status": "live", "holdout": None, "rollout": 100}
    core = bare(settings)
    alone = core.compiled([rule.model_copy(update=tried)])
    return list(failures(alone, core))


def placed(problems: Iterable[RuleProblem], files: Sequence[RuleFile]) -> list[FileProblem]:
    """Problems of rules, each at its place in their files."""
    by_id = {file.definition.id: file for file in files}
    return [by_id[one.rule].problem(one.key, one.column, one.message) for one in problems]
