"""From settings to what the pure core needs; one place, so that worker and oracle agree."""

from zoneinfo import ZoneInfo

from agents.rules import read_rules, try_examples
from config.load_attributes import read_attributes
from config.load_calendar import read_calendar
from config.load_greetings import read_greetings
from config.settings import RefusalSettings, Settings
from streams.announced import holidays_ahead
from streams.attributes import Attributes
from streams.calendar import Calendar
from streams.context import CoreSettings
from streams.durations import DAY_MS
from streams.greetings import Greetings
from streams.refusals import Limit
from streams.rules.ruleset import RuleSet


def core_settings(settings: Settings) -> CoreSettings:
    """Tolerances of transport are real time, so they grow with the clock's rate.

    Raises FileErrors: of attributes, of the calendar, of greetings.
    """
    step = settings.step
    calendar, zone = bank_calendar(settings), ZoneInfo(step.time_zone)
    return CoreSettings(
        partitions=settings.topics.partitions,
        future_tolerance=int(step.future_tolerance_s * 1_000 * settings.clock.rate),
        lateness=step.lateness_days * DAY_MS,
        duplicates_kept=step.duplicates_kept,
        duplicates_for=step.duplicates_days * DAY_MS,
        time_zone=zone,
        attributes=declared_attributes(settings),
        base_currency=step.base_currency,
        calendar=calendar,
        greetings=bank_greetings(settings),
        holidays=holidays_ahead(calendar, step.holidays_ahead, zone),
    )


def rule_set(settings: Settings) -> RuleSet:
    """The rules in force. Raises FileErrors: a line for each problem, with its place."""
    folder = settings.worker.rules
    core = core_settings(settings)
    rules, files = read_rules([folder] if folder else [], core)
    try_examples(files, core)
    return rules


def refusal_limit(settings: RefusalSettings) -> Limit:
    return Limit(settings.window, settings.share, settings.minimum, frozenset(settings.accept))


def declared_attributes(settings: Settings) -> Attributes:
    """The fields that the bank adds itself. Raises AttributeFileErrors."""
    return Attributes(read_attributes(settings.step.attributes))


def bank_calendar(settings: Settings) -> Calendar:
    """The bank's business days. Raises CalendarFileErrors."""
    return Calendar(read_calendar(settings.step.calendar))


def bank_greetings(settings: Settings) -> Greetings:
    """The greeting templates. Raises GreetingFileErrors."""
    step = settings.step
    return Greetings(read_greetings(step.templates, step.language), step.language)
