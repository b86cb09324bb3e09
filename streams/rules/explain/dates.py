"""The day that a rule waits for, as people say it."""

from schemas.rule_waits import Wait
from streams.rules.explain.naming import Names

_ATTRIBUTES = "attributes."


def told_date(names: Names, wait: Wait) -> str:
    """As in `3 business days before the day of maturity, at 09:00`."""
    forms, number = names.phrases.dates, wait.days or wait.business_days
    side = "before" if wait.before else "after"
    if number:
        unit = "d" if wait.days else "business_days"
        return forms[side].format(_day(names, wait), wait.at, names.phrases.quantity(number, unit))
    key = "on" if wait.days is not None else f"on_or_{side}"
    return forms[key].format(_day(names, wait), wait.at)


def _day(names: Names, wait: Wait) -> str:
    """The day itself: of each year, or of the years in which it `turns` so many."""
    forms, phrases = names.phrases.dates, names.phrases
    if wait.date.startswith(_ATTRIBUTES):
        day = names.say("attribute", names.attribute(wait.date.removeprefix(_ATTRIBUTES)))
    else:
        day = names.say("field", names.field(wait.date))
    if not wait.every:
        return day
    is_birthday = wait.date == "birthday"
    key = "birthday" if is_birthday else "anniversary"
    turns = phrases.listed([*map(phrases.ordinal, wait.turns)], "or") if wait.turns else ""
    whose = phrases.listed([*map(names.relative, wait.of)], "or") if wait.of else ""
    form = forms[key + ("_of" if whose else "") + ("_turns" if turns else "")]
    return form.format(turns, forms[wait.every], whose if is_birthday else day)
