"""The rules that a command or a picture goes by: those in force, else those of files."""

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from agents.core import core_settings, rule_set
from agents.reading import Onward, ReadingError, partitions_of
from agents.register import isolation, newest_usable, read_register, source_of
from config.settings import Settings
from schemas.rule_register import RULES_TOPIC, Isolated
from schemas.rules import RuleDefinition
from streams.rules.register import InForce, RegisterError, RuleBook
from streams.rules.ruleset import RuleSet


class AtHand(NamedTuple):
    """The rules that a command goes by."""

    rules: RuleSet
    source: str
    """Where they come from, for people."""
    isolated: Mapping[tuple[str, int], Isolated] = {}
    """Those that run in shadow since they raised, by rule and version."""

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
    return AtHand(found.rules, source_of(found.state), isolated)


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
