"""What rules say that is legal, and that hardly anyone means."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from agents.rules import doubts, placed
from config.load_rules import RuleFile, RuleFileErrors, read_rule_files
from config.placed_yaml import FileProblem
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.rules.checked import unknown_scores
from streams.rules.errors import RuleProblem


def hardly_meant(
    files: Sequence[RuleFile],
    core: CoreSettings,
    beside: Callable[[], Iterable[RuleDefinition]],
    today: date,
) -> list[FileProblem]:
    """Of rules that were read; `beside` gives those that run."""
    found = [one.problem for one in doubts(files, core) if not one.is_certain]
    found += [*_over(files, today), *_scores(files, beside)]
    return sorted(placed(found, files))


def of_folder(folder: Path) -> list[RuleDefinition]:
    """The rules of a folder, to stand beside; none if it has a wrong one, which is no doubt."""
    try:
        return [file.definition for file in read_rule_files([folder])]
    except RuleFileErrors:
        return []


def _over(files: Sequence[RuleFile], today: date) -> Iterator[RuleProblem]:
    for file in files:
        active = file.definition.active
        if active and active.until and active.until < today and file.definition.status != "retired":
            message = "that day is over: the rule does nothing any more"
            yield RuleProblem(file.definition.id, "active.until", 0, message)


def _scores(
    files: Sequence[RuleFile], beside: Callable[[], Iterable[RuleDefinition]]
) -> Iterator[RuleProblem]:
    """Scores that neither these rules have nor those that run."""
    asked = {file.definition.id: file.definition for file in files}
    if not any(True for _ in unknown_scores(asked.values())):
        return
    every = {one.id: one for one in beside()} | asked
    yield from (one for one in unknown_scores(every.values()) if one.rule in asked)
