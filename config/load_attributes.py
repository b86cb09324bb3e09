"""The attributes that a bank declares, from one YAML file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from config.placed_yaml import FileErrors, FileProblem, PlacedFile, read_placed
from schemas.attributes import AttributeDefinition, AttributeDefinitions

SHIPPED_ATTRIBUTES = Path(__file__).parent / "attributes.yaml"
_BEGINS_WITH = "a file of attributes begins with attributes:"


class AttributeFileErrors(FileErrors):
    """The file of attributes cannot be used."""


def read_attributes(path: Path | None = None) -> Sequence[AttributeDefinition]:
    """Read the declared attributes; None is the file that is shipped.

    Raises AttributeFileErrors.
    """
    file = read_placed(path or SHIPPED_ATTRIBUTES, AttributeDefinitions, _BEGINS_WITH)
    problems = [*_doubles(file)] if isinstance(file, PlacedFile) else file
    if problems or not isinstance(file, PlacedFile):
        raise AttributeFileErrors(problems)
    declared: Sequence[AttributeDefinition] = file.content.attributes
    return declared


def _doubles(file: PlacedFile) -> Iterator[FileProblem]:
    seen: set[str] = set()
    for number, one in enumerate(file.content.attributes):
        if one.name in seen:
            key = f"attributes.{number}.name"
            yield file.problem(key, 0, f"the attribute {one.name} is declared already")
        seen.add(one.name)
