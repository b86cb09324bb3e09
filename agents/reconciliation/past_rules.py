"""The rules that a chunk was stepped with, made again from the register, or from files.

The register is compacted, but keeps what was replaced for as long as the journal its positions.
"""

from agents.register import compile_state, read_register
from config.settings import Settings
from schemas.rule_register import RULES_TOPIC
from streams.context import CoreSettings
from streams.rules.register import RegisterError
from streams.rules.ruleset import RuleSet


class PastRules:
    """Made once for each state of the register: there are few."""

    def __init__(self, settings: Settings, core: CoreSettings) -> None:
        self._settings = settings
        self._compiler = core.compiler()
        self._made: dict[int, RuleSet] = {}

    def at(self, offset: int) -> RuleSet:
        """Those of the register up to here. Raises ValueError if they are not there any more, and
        what reading the files raises."""
        if offset not in self._made:
            self._made[offset] = self._make(offset)
        return self._made[offset]

    def _make(self, offset: int) -> RuleSet:
        book = read_register(self._settings.kafka, offset)
        state = book.state
        if state.offset != offset:
            raise ValueError(
                f"the rules of {RULES_TOPIC} up to {offset} cannot be made again: what is there "
                f"ends at {state.offset}. Was the topic compacted before its time, or made anew?"
            )
        try:
            return compile_state(book, state, self._settings, self._compiler)
        except RegisterError as error:
            raise ValueError(f"{RULES_TOPIC} up to {offset} cannot be used: {error}") from None
