"""From settings to what the pure core needs; one place, so that worker and oracle agree."""

from zoneinfo import ZoneInfo

from agents.rules import read_rules
from config.settings import RefusalSettings, Settings
from streams.context import CoreSettings
from streams.durations import DAY_MS
from streams.refusals import Limit
from streams.rules.ruleset import RuleSet


def core_settings(settings: Settings) -> CoreSettings:
    """Tolerances of transport are real time, so they grow with the clock's rate."""
    step = settings.step
    return CoreSettings(
        partitions=settings.topics.partitions,
        future_tolerance=int(step.future_tolerance_s * 1_000 * settings.clock.rate),
        lateness=step.lateness_days * DAY_MS,
        duplicates_kept=step.duplicates_kept,
        duplicates_for=step.duplicates_days * DAY_MS,
        time_zone=ZoneInfo(step.time_zone),
        base_currency=step.base_currency,
    )


def rule_set(settings: Settings) -> RuleSet:
    """The rules in force. Raises RuleFileErrors: a line for each problem, with its place."""
    folder = settings.worker.rules
    rules, _ = read_rules([folder] if folder else [], lateness=settings.step.lateness_days * DAY_MS)
    return rules


def refusal_limit(settings: RefusalSettings) -> Limit:
    return Limit(settings.window, settings.share, settings.minimum, frozenset(settings.accept))
