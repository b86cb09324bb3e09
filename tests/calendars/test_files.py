"""The file of a calendar: every mistake is told with its place; what is shipped is what is made."""

import re
from datetime import date
from pathlib import Path

import pytest
from chinese_calendar import holidays, is_workday, workdays

from agents.calendar_gap import gap_from
from agents.cli.main import run
from agents.core import core_settings, rule_set
from config.load_calendar import SHIPPED_CALENDAR, CalendarFileErrors, read_calendar
from config.make_calendar import calendar_text
from config.settings import Settings, StepSettings
from streams.calendar import Calendar, days

GOOD = """\
title: {en: Our days, zh: 我们的日子}
years: {first: 2026, announced: 2026, last: 2027}
holidays:
  - name: {en: Spring Festival, zh: 春节}
    day: 2026-02-17
    first: 2026-02-15
    last: 2026-02-23
    worked: [2026-02-14, 2026-02-28]
  - {name: {en: New Year, zh: 元旦}, day: 2027-01-01, first: 2026-12-30, last: 2027-01-01}
"""
FILES = [
    ("title:", "titel:", 1, 1, "titel: not a key here; there are title, years, holidays"),
    ("title:", "titel:", 1, 1, "did you mean title?"),
    ("announced: 2026", "announced: 2025", 2, 33, "in the order first, announced, last"),
    ("announced: 2026", "announced: twenty", 2, 33, "should be a whole number"),
    ("    day: 2026-02-17\n", "", 4, 5, "holidays.0.day: this key is missing"),
    ("day: 2026-02-17", "day: 2026-02-24", 5, 10, "is not among the days off"),
    ("day: 2026-02-17", "day: 2026-02-31", 5, 10, "this is not YAML: a value looks like a"),
    ("day: 2026-02-17", "day: soon", 5, 10, "holidays.0.day: write a day as 2026"),
    ("last: 2026-02-23", "last: 2026-02-14", 7, 11, "should be the first day off or up to 30"),
    ("last: 2026-02-23", "last: 2026-05-23", 7, 11, "should be the first day off or up to 30"),
    ("[2026-02-14,", "[2026-02-13,", 8, 14, "holidays.0.worked.0: 2026-02-13 is no day of a"),
    ("2026-02-28]", "2026-02-22]", 8, 26, "worked.1: 2026-02-22 is a day off as well"),
    ("2027-01-01, first", "2028-01-01, first", 9, 41, "is in none of the years 2026 to 2027"),
    ("{name: {en: New Year, zh: 元旦}, day: 2027-01-01, first: 2026-12-30, last: 2027-01-01}",
     "{name: {en: Spring Festival, zh: 春}, day: 2026-02-17, first: 2026-02-17, last: 2026-02-18}",
     9, 47, "Spring Festival stands here twice"),
    (GOOD, "holidays", 1, 1, "a calendar begins with keys such as title"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "wrong", "line", "column", "words"), FILES)
def test_wrong_file(
    tmp_path: Path, good: str, wrong: str, line: int, column: int, words: str
) -> None:
    assert good in GOOD
    path = tmp_path / "calendar.yaml"
    path.write_text(GOOD.replace(good, wrong, 1))
    with pytest.raises(CalendarFileErrors) as caught:
        read_calendar(path)
    lines = str(caught.value).splitlines()
    assert all(re.match(rf"{re.escape(str(path))}:\d+:\d+: \S", one) for one in lines)
    said = [one for one in lines if words in one]
    assert said, lines
    assert said[0].startswith(f"{path}:{line}:{column}: "), said


def test_what_is_shipped_is_what_is_made() -> None:
    assert SHIPPED_CALENDAR.read_text(encoding="utf-8") == calendar_text()


def test_every_announced_day_is_as_the_library_has_it() -> None:
    """Above all where two holidays share days off."""
    definition = read_calendar()
    china, years = Calendar(definition), definition.years
    assert years.announced == max(day.year for day in workdays) >= 2026
    for day in days(date(years.first, 1, 1), date(years.announced, 12, 31)):
        assert china.is_business_day(day) == is_workday(day), day
    named = {(one.day, one.name.zh) for one in definition.holidays}
    assert (date(2026, 2, 17), "春节") in named
    assert {one.name.en for one in definition.holidays} >= {
        holidays[date(2026, 10, 1)],
        holidays[date(2026, 4, 5)],
    }


def test_of_years_to_come_days_of_a_weekend_are_made_up_for() -> None:
    off = {one.day: (str(one.first), str(one.last)) for one in read_calendar().holidays}
    assert off[date(2027, 2, 6)] == ("2027-02-05", "2027-02-10")
    assert off[date(2027, 5, 1)] == ("2027-05-01", "2027-05-04")
    assert off[date(2027, 1, 1)] == ("2027-01-01", "2027-01-01")


def test_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text(GOOD)
    assert run(["calendar", "check", str(path)]) == 0
    assert "ok: 2 holidays of 2026 to 2027 (announced up to 2026)" in capfd.readouterr().out
    monkeypatch.setenv("VIPCARE_STEP__CALENDAR", str(path))
    assert run(["calendar", "show", "2026"]) == 0
    shown = capfd.readouterr().out
    assert "Our days · 我们的日子, 2026: as announced" in shown
    row = r"2026-02-17 +Spring Festival +春节 +2026-02-15 to 2026-02-23 +2026-02-14, 2026-02-28"
    assert re.search(row, shown)
    assert "New Year" not in shown
    path.write_text(GOOD.replace("last: 2026-02-23", "last: 2026-02-13"))
    for command in (["calendar", "check"], ["rules", "check"]):
        assert run(command) == 2
        assert f"{path}:7:11: holidays.0.last" in capfd.readouterr().err


def settings_with(path: Path) -> Settings:
    return Settings(step=StepSettings(calendar=path))


def test_a_year_that_is_not_known_is_told(tmp_path: Path) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text(GOOD)
    assert gap_from(settings_with(path), date(2026, 10, 1)) == ""
    assert "has the holidays of 2027 as the law" in gap_from(settings_with(path), date(2026, 12, 1))
    assert "does not tell of 2028" in gap_from(settings_with(path), date(2028, 1, 1))


def test_rules_check_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text("title: {en: A, zh: 甲}\nyears: {first: 1900, announced: 1900, last: 1900}\n"
                    "holidays: []\n")  # fmt: skip
    monkeypatch.setenv("VIPCARE_STEP__CALENDAR", str(path))
    assert run(["rules", "check"]) == 0
    told = capfd.readouterr()
    assert told.out.startswith("ok: ")
    assert re.search(r"business days: .*calendar.yaml does not tell of 20\d\d", told.err)


def test_the_calendar_reaches_the_core_and_is_part_of_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text(GOOD)
    settings = settings_with(path)
    assert not core_settings(settings).calendar.is_business_day(date(2026, 12, 31))
    digest = rule_set(settings).digest
    assert digest == rule_set(settings).digest
    path.write_text(GOOD.replace("2026-12-30", "2026-12-31"))
    assert rule_set(settings).digest != digest
