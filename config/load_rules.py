"""Rules from YAML files, one rule a file, each value with its place in the file."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from config.placed_yaml import FileErrors, FileProblem, PlacedFile, read_placed
from config.salvage import salvaged
from schemas.rules import RuleDefinition

SHIPPED = Path(__file__).parent / "rules"
_BEGINS_WITH = "a rule file begins with keys such as id, version, title"


class RuleFile(PlacedFile):
    """One rule and where it was read."""

    __slots__ = ()

    @property
    def definition(self) -> RuleDefinition:
        definition: RuleDefinition = self.content
        return definition


class RuleFileErrors(FileErrors):
    """Rule files that cannot be used."""

    def __init__(self, problems: Sequence[FileProblem], rest: Sequence[RuleFile] = ()) -> None:
        super().__init__(problems)
        self.rest = rest
        """Of files that could not be read as they are, rules of what is right in them; and the
        files beside them."""


def read_rule_files(paths: Iterable[Path]) -> list[RuleFile]:
    """The rules of files and folders (their *.yaml), by name. Raises RuleFileErrors."""
    files: list[RuleFile] = []
    rest: list[RuleFile] = []
    problems: list[FileProblem] = []
    for path in paths:
        if path.is_dir():
            found = sorted((*path.glob("*.yaml"), *path.glob("*.yml")))
            if not found:
                problems.append(FileProblem(path, 1, 1, "there is no *.yaml in this folder"))
        else:
            found = [path]
        for one in found:
            result = read_placed(one, RuleDefinition, _BEGINS_WITH)
            if isinstance(result, PlacedFile):
                files.append(RuleFile(*result))
            else:
                problems += result
                if result.text and (rule := salvaged(result.text)) is not None:
                    rest.append(RuleFile(one, rule, result.text))
    problems += _doubles(files)
    if problems:
        raise RuleFileErrors(problems, [*files, *rest])
    return files


def _doubles(files: list[RuleFile]) -> Iterable[FileProblem]:
    first: dict[str, Path] = {}
    for file in files:
        name = file.definition.id
        if name in first:
            yield file.problem("id", 0, f"the rule {name} is in {first[name]} already")
        first.setdefault(name, file.path)
