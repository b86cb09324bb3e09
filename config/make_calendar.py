"""Makes config/calendars/cn.yaml anew: `python -m config.make_calendar`, once a year.

What the State Council announced is in `chinesecalendar`, which is renewed each November; of the
years after that, the holidays stand as the law has them since 2025, days of a weekend made up for.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO
from typing import Any, NamedTuple

from borax.calendars.lunardate import LunarDate, TermUtils
from chinese_calendar import Holiday, holidays, workdays
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from config.load_calendar import SHIPPED_CALENDAR

FIRST = 2020
EXPECTED_YEARS = 3
_HEADER = """\
# The public holidays of mainland China and the weekend days that are worked in exchange. Made by
# `python -m config.make_calendar`, from chinesecalendar. config/README.md explains calendars;
# `vipcare calendar check` checks one, `vipcare calendar show YEAR` shows its days.
"""
_CLEAR_AND_BRIGHT = "清明"


class _Ruled(NamedTuple):
    """A holiday as the law has it: its own day, and how many off are before and after it."""

    name: Holiday
    day: date
    before: int = 0
    after: int = 0


def _by_law(year: int) -> Iterator[_Ruled]:
    yield _Ruled(Holiday.new_years_day, date(year, 1, 1))
    yield _Ruled(Holiday.spring_festival, LunarDate(year, 1, 1).to_solar_date(), 1, 2)
    yield _Ruled(Holiday.tomb_sweeping_day, TermUtils.nth_term_day(year, None, _CLEAR_AND_BRIGHT))
    yield _Ruled(Holiday.labour_day, date(year, 5, 1), 0, 1)
    yield _Ruled(Holiday.dragon_boat_festival, LunarDate(year, 5, 5).to_solar_date())
    yield _Ruled(Holiday.mid_autumn_festival, LunarDate(year, 8, 15).to_solar_date())
    yield _Ruled(Holiday.national_day, date(year, 10, 1), 0, 2)


def calendar_text() -> str:
    """The file."""
    announced = max(day.year for day in workdays)
    last = announced + EXPECTED_YEARS
    found = [
        _announced(ruled) if year <= announced else _expected(ruled)
        for year in range(FIRST, last + 1)
        for ruled in sorted(_by_law(year), key=lambda ruled: ruled.day)
    ]
    tree = {
        "title": _flow({"en": "Mainland China", "zh": "中国大陆"}),
        "years": _flow({"first": FIRST, "announced": announced, "last": last}),
        "holidays": [_flow(one) for one in found],
    }
    yaml, text = YAML(), StringIO()
    yaml.width = 200
    yaml.representer.ignore_aliases = lambda _: True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(tree, text)
    return _HEADER + text.getvalue()


def _announced(ruled: _Ruled) -> dict[str, Any]:
    """The days off under its name, and those that it shares with another holiday."""
    english = ruled.name.value
    worked = [day for day, name in workdays.items() if name == english and _near(day, ruled.day)]
    first = last = ruled.day
    while first - timedelta(1) in holidays and first - timedelta(1) not in worked:
        first -= timedelta(1)
    while last + timedelta(1) in holidays:
        last += timedelta(1)
    return _entry(ruled.name, ruled.day, first, last, worked)


def _days(first: date, last: date) -> Iterator[date]:
    yield from (first + timedelta(after) for after in range((last - first).days + 1))


def _near(day: date, other: date) -> bool:
    return abs((day - other).days) < 31


def _expected(ruled: _Ruled) -> dict[str, Any]:
    """A day of a weekend is made up for right after."""
    first, last = ruled.day - timedelta(ruled.before), ruled.day + timedelta(ruled.after)
    while sum(day.weekday() < 5 for day in _days(first, last)) <= ruled.before + ruled.after:
        last += timedelta(1)
    return _entry(ruled.name, ruled.day, first, last, [])


def _entry(name: Holiday, day: date, first: date, last: date, worked: list[date]) -> dict[str, Any]:
    names = _flow({"en": name.value, "zh": name.chinese})
    told = {"name": names, "day": day, "first": first, "last": last}
    return told | ({"worked": _flow(sorted(worked))} if worked else {})


def _flow(value: Any) -> CommentedMap | CommentedSeq:
    """On one line."""
    tree = CommentedMap(value) if isinstance(value, dict) else CommentedSeq(value)
    tree.fa.set_flow_style()
    return tree


if __name__ == "__main__":
    SHIPPED_CALENDAR.write_text(calendar_text(), encoding="utf-8")
