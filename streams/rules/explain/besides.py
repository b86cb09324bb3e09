"""What a rule does beside what its owner wrote: when it is looked at all the same."""

from collections.abc import Iterator

from streams.durations import DAY_MS
from streams.rules.checked import CheckedRule
from streams.rules.explain.phrases import Phrases
from streams.waits import silence

_HOLIDAY = "holiday.approaching"


def besides(rule: CheckedRule, phrases: Phrases, holidays_ahead: int | None) -> Iterator[str]:
    """A sentence for each; `holidays_ahead` is the bank's setting, in business days."""
    wait, forms = rule.definition.wait, phrases.besides
    if _HOLIDAY in rule.definition.on and holidays_ahead is not None:
        yield forms["holidays"].format(phrases.quantity(holidays_ahead, "business_days"))
    if rule.waits.dates and wait is not None and wait.before and (wait.days or wait.business_days):
        yield forms["late"]
    if silence.is_seen_by(rule):
        yield forms["silence"].format(phrases.quantity(silence.AFTER // DAY_MS, "d"))
