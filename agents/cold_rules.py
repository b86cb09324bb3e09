"""Which rules in force are cold: their windows do not reach back as far as they look."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import NamedTuple

from schemas.envelope import from_millis
from streams.reach import NEVER, Reach
from streams.rules.ruleset import RuleSet


class Windows(NamedTuple):
    """Of a partition."""

    number: int
    reach: Reach
    time: int
    """The partition's, epoch milliseconds; negative: not known yet."""


class ColdRules:
    """Asked again and again: what a partition says is reckoned anew only when its windows or the
    rules have changed."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._known: dict[int, tuple[RuleSet, Reach, Mapping[str, int]]] = {}

    def told(self, rules: RuleSet, partitions: Iterable[Windows]) -> dict[str, str | None]:
        """RULE@VERSION → when it is warm in all of these partitions, ISO 8601; None where that is
        not known yet."""
        found: dict[str, int] = {}
        for one in partitions:
            for name, at in self._warm_from(rules, one).items():
                if at > max(one.time, 0):
                    found[name] = max(at, found.get(name, 0))
        return {name: _day(at) for name, at in sorted(found.items())}

    def _warm_from(self, rules: RuleSet, one: Windows) -> Mapping[str, int]:
        known = self._known.get(one.number)
        if known is not None and known[0] is rules and known[1] is one.reach:
            return known[2]
        times = {
            f"{rule.id}@{rule.version}": one.reach.warm_from(looks, self._zone)
            for rule in rules.definitions
            if (looks := rules.looks_back(rule.id))
        }
        self._known[one.number] = rules, one.reach, times
        return times


def _day(at: int) -> str | None:
    return from_millis(at).isoformat() if at < NEVER else None
