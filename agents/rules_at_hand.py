"""The rules that a command or a picture goes by: those in force, else those of files."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from agents.core import core_settings, rule_set
from agents.reading import Onward, ReadingError, partitions_of
from agents.register import isolation, newest_usable, read_register, source_of
from config.settings import Settings
from schemas.rule_register import RULES_TOPIC, Isolated, parse_key
from schemas.rules import RuleDefinition
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.register import InForce, RegisterError, RuleBook
from streams.rules.ruleset import RuleSet


class AtHand(NamedTuple):
    """The rules that a command goes by."""

    rules: RuleSet
    source: str
    """Where they come from, for people."""
    isolated: Mapping[tuple[str, int], Isolated] = {}
    """Those that run in shadow since they raised, by rule and version."""

    book: RuleBook | None = None
    """The register, where they are of it."""

    def with_versions(self, names: Iterable[str], settings: Settings) -> dict[str, RuleDefinition]:
        """Those in force by id, and by its name each version of the register that is named as
        RULE@VERSION. Raises RegisterError for one that is not right any more."""
        core, found = core_settings(settings), self.by_id
        for name in names:
            key = parse_key(name.encode())
            if key is None or key.kind != "rule":
                continue
            rule = found.get(key.rule)
            if rule is not None and rule.version == key.version:
                found[name] = rule
            elif self.book is not None and (old := self.book.version(key.rule, key.version)):
                checked = check_rule(old, core.attributes, core.greetings)
                if not isinstance(checked, CheckedRule):
                    raise RegisterError(f"{name} cannot run any more: {checked[0]}")
                found[name] = old
        return found

    @property
    def by_id(self) -> dict[str, RuleDefinition]:
        return {rule.id: rule for rule in self.rules.definitions}

    def isolation(self, rule: RuleDefinition) -> str:
        """Since when and why a rule is isolated, for people; empty if it is not."""
        told = self.isolated.get((rule.id, rule.version))
        return "" if told is None or self.by_id.get(rule.id) != rule else isolation(told)


def at_hand(settings: Settings) -> AtHand:
    """The rules in force; those of files where the register is empty, cannot be read or used.

    Raises FileErrors.
    """
    try:
        book = read_register(settings.kafka)
        found = newest_usable(book, settings, core_settings(settings).compiler())
    except (ReadingError, RegisterError) as error:
        return AtHand(rule_set(settings), f"of files: {error}")
    isolated = {one: told for one, told in book.isolations.items() if one in found.state.isolated}
    return AtHand(found.rules, source_of(found.state), isolated, book)


class RulesAtHand:
    """The rules in force, whenever they are asked for; those of files, or the last there were,
    where the register cannot be read or used."""

    def __init__(self, settings: Settings) -> None:
        """Raises FileErrors."""
        self._settings = settings
        self._compiler = core_settings(settings).compiler()
        self._onward = Onward(settings.kafka)
        self._book = RuleBook()
        self._known = InForce(rule_set(settings))

    def now(self) -> RuleSet:
        try:
            partitions_of(self._settings.kafka, RULES_TOPIC)
            for found in self._onward.partition(RULES_TOPIC, 0):
                self._book.take(found.raw())
        except ReadingError:
            return self._known.rules
        with suppress(RegisterError):  # then the last that could be used stay
            self._known = newest_usable(self._book, self._settings, self._compiler, self._known)
        return self._known.rules
