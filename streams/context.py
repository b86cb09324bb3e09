"""What a step needs besides the record and the input; the same for a whole chunk."""

from dataclasses import dataclass

from streams.rules.ruleset import RuleSet

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """The part of the settings that changes results. Durations in milliseconds."""

    partitions: int
    base_currency: str = "CNY"
    time_zone: str = "Asia/Shanghai"
    future_tolerance: int = 300_000
    lateness: int = 30 * DAY_MS
    duplicates_kept: int = 64


@dataclass(frozen=True, slots=True)
class Context:
    now: int
    """The bank clock, epoch milliseconds."""
    rules: RuleSet
    settings: CoreSettings
