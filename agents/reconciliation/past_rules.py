"""The rules that a chunk was stepped with, made again from the register, or from files.

The register is compacted, but keeps what was replaced for as long as the journal its positions.
"""

from agents.reading import Onward
from agents.register import compile_state
from config.settings import Settings
from schemas.rule_register import RULES_TOPIC
from streams.context import CoreSettings
from streams.rules.register import RegisterError, RuleBook, State
from streams.rules.ruleset import RuleSet


class PastRules:
    """Made once for each state of the register, which is read once: there are few."""

    def __init__(self, settings: Settings, core: CoreSettings) -> None:
        self._settings = settings
        self._compiler = core.compiler()
        self._onward = Onward(settings.kafka)
        self._book = RuleBook(kept=None)
        self._made: dict[int, RuleSet] = {}

    def at(self, offset: int) -> RuleSet:
        """Those of the register up to here. Raises ValueError if they are not there any more, and
        what reading the files raises."""
        if offset not in self._made:
            self._made[offset] = self._make(offset)
        return self._made[offset]

    def _make(self, offset: int) -> RuleSet:
        state = self._state(offset)
        try:
            return compile_state(self._book, state, self._settings, self._compiler)
        except RegisterError as error:
            raise ValueError(f"{RULES_TOPIC} up to {offset} cannot be used: {error}") from None

    def _state(self, offset: int) -> State:
        if (known := self._book.at(offset)) is not None:
            return known
        for found in self._onward.partition(RULES_TOPIC, 0):
            self._book.take(found.raw())
        if (state := self._book.at(offset)) is None:
            raise ValueError(
                f"the rules of {RULES_TOPIC} up to {offset} cannot be made again: what is there "
                f"ends at {self._book.state.offset}. Was the topic compacted before its time, or "
                "made anew?"
            )
        return state
