"""Which rules are tried, and which of those in force they would take the place of."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from agents.core import core_settings
from agents.reading import ReadingError
from agents.register import rules_in_force
from agents.rule_name import RuleNameError, rule_and_version
from agents.rules import read_rules
from config.load_rules import RuleFile
from config.settings import Settings
from schemas.rules import RuleDefinition
from streams.expressions.parse import nearest
from streams.rules.register import RegisterError


class ChoiceError(Exception):
    """There is no such rule to try; what to do is in it."""


Known = dict[str, RuleDefinition]
"""The rules in force, by id; those asked for as RULE@VERSION by that."""


class Chosen(NamedTuple):
    rules: list[RuleDefinition]
    """As they are to run."""
    live: list[RuleDefinition]
    """The live rules of the same ids that say something else."""


def choose(names: Sequence[str], known: Known, settings: Settings) -> Chosen:
    """Rules by id (of those known), file or folder: drafts and shadow rules run as if they were
    live. No name means all that are known, as they stand.

    Raises ChoiceError and FileErrors.
    """
    if not names:
        return Chosen([*known.values()], [])
    found: dict[str, RuleDefinition] = {}
    for name in names:
        for rule in _named(name, known, settings):
            if rule.id in found:
                raise ChoiceError(f"rule {rule.id} is named twice: name each once")
            found[rule.id] = as_if_live(rule)
    live = [rule for rule in known.values() if rule.status == "live" and rule.id in found]
    return Chosen([*found.values()], [rule for rule in live if rule != found[rule.id]])


def choose_any(names: Sequence[str], known: Known, settings: Settings) -> list[RuleDefinition]:
    """Rules by id, file or folder, as they stand; without a name all that are known but the
    retired. Raises ChoiceError and FileErrors."""
    if not names:
        return [rule for rule in known.values() if rule.status != "retired"]
    return [rule for name in names for rule in _named(name, known, settings)]


def is_path(name: str) -> bool:
    """Whether a rule is named by its file or folder for certain: no id has a dot or a slash."""
    path = Path(name)
    return bool(path.suffix) or len(path.parts) > 1


def choose_one(name: str, known: Known, settings: Settings) -> RuleDefinition:
    """One rule by id or file, as it stands. Raises ChoiceError and FileErrors."""
    found = [*_named(name, known, settings)]
    if len(found) != 1:
        raise ChoiceError(f"{name} holds {len(found)} rules: name one")
    return found[0]


def in_force(settings: Settings) -> Known:
    """The rules that workers have: of the register, or while that is empty of files.

    Raises ChoiceError if it cannot be read, and FileErrors.
    """
    try:
        found = rules_in_force(settings, core_settings(settings))
    except (ReadingError, RegisterError) as error:
        raise ChoiceError(f"the register of rules: {error}") from error
    return {rule.id: rule for rule in found.rules.definitions}


def as_if_live(rule: RuleDefinition) -> RuleDefinition:
    """Raises ChoiceError for a retired rule: it may not even be right."""
    if rule.status == "retired":
        raise ChoiceError(f"rule {rule.id} is retired: give it another status to try it")
    return rule.model_copy(update={"status": "live"})


def _named(name: str, known: Known, settings: Settings) -> Iterable[RuleDefinition]:
    if name in known:
        return [known[name]]
    path = Path(name)
    if path.exists() or is_path(name):
        rules = [file.definition for file in _read(settings, [path])]
        return [rule for rule in rules if rule.status != "retired"]
    try:
        rule, version = rule_and_version(name)
    except RuleNameError as error:
        raise ChoiceError(str(error)) from None
    if version is not None:
        raise ChoiceError(
            f"there is no version {version} of a rule {rule} in the register: "
            "`vipcare rules history` shows those that there are"
        )
    raise ChoiceError(
        f"there is no rule {name} in force{nearest(name, known)}; "
        "`vipcare rules list` shows them, and a file is named by its path"
    )


def _read(settings: Settings, paths: Sequence[Path]) -> list[RuleFile]:
    _, files = read_rules(paths, core_settings(settings))
    return files
