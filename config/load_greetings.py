"""Greeting templates from YAML files, one occasion a file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from config.placed_yaml import FileErrors, FileProblem, PlacedFile, read_placed
from schemas.greetings import Greeting

SHIPPED_TEMPLATES = Path(__file__).parent / "templates"
_BEGINS_WITH = "a file of greetings begins with keys such as occasion, templates"


class GreetingFileErrors(FileErrors):
    """The greeting templates cannot be used."""


def read_greetings(folder: Path | None = None, language: str = "zh") -> Sequence[Greeting]:
    """Read the *.yaml of a folder, by name; None is the one that is shipped.

    `language` is the one that everybody is greeted in whose own has no template. Raises
    GreetingFileErrors.
    """
    folder = folder or SHIPPED_TEMPLATES
    found = sorted((*folder.glob("*.yaml"), *folder.glob("*.yml")))
    if not found:
        raise GreetingFileErrors([FileProblem(folder, 1, 1, "there is no *.yaml in this folder")])
    files: list[PlacedFile] = []
    problems: list[FileProblem] = []
    for path in found:
        result = read_placed(path, Greeting, _BEGINS_WITH)
        if isinstance(result, PlacedFile):
            files.append(result)
        else:
            problems += result
    problems += _doubles(files)
    for file in files:
        problems += [file.problem("templates", 0, one) for one in file.content.lacks(language)]
    if problems:
        raise GreetingFileErrors(problems)
    return [file.content for file in files]


def _doubles(files: Sequence[PlacedFile]) -> Iterator[FileProblem]:
    occasions: dict[str, Path] = {}
    templates: dict[str, Path] = {}
    for file in files:
        greeting: Greeting = file.content
        if greeting.occasion in occasions:
            what = f"the occasion {greeting.occasion} is in {occasions[greeting.occasion]} already"
            yield file.problem("occasion", 0, what)
        occasions.setdefault(greeting.occasion, file.path)
        for number, one in enumerate(greeting.templates):
            if one.id in templates:
                what = f"the template {one.id} is in {templates[one.id]} already"
                yield file.problem(f"templates.{number}.id", 0, what)
            templates.setdefault(one.id, file.path)
