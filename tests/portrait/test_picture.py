"""The picture: amounts, names of any script aligned, nothing that a terminal would obey."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.cells import cell_len
from rich.console import Console

from agents.portrait.picture import picture
from agents.portrait.spoken import amount
from agents.terminal import console
from streams.portrait import portrait
from streams.portrait.parts import Amount, Fact, Facts, Portrait, Table
from tests.portrait.story import TODAY, ZONE, record


def lines(drawn: Portrait, width: int = 120) -> list[str]:
    console = Console(width=width, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(picture(drawn))
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_every_line_is_as_wide_as_the_frame(width: int) -> None:
    drawn = portrait(record(), ZONE, TODAY, personal=True)
    assert {cell_len(line) for line in lines(drawn, width)} == {width}


def test_wide_characters_do_not_move_the_columns() -> None:
    table = Table(
        "things",
        ("name", "amount"),
        (("王小明", Amount(Decimal(5), "CNY")), ("Amelia", Amount(Decimal("1234.5"), "USD"))),
    )
    shown = [line for line in lines(Portrait("C1", (table,))) if "CNY" in line or "USD" in line]
    ends = {
        cell_len(line[: line.index(currency) + 3])
        for line, currency in zip(shown, ("CNY", "USD"), strict=True)
    }
    assert len(ends) == 1


def busy(width: int) -> tuple[str, list[str]]:
    """A table of eight columns: what is shown of it, and its numbers, times and ids."""
    month = {f"2026-{n:02}": Amount(Decimal(f"{n}12345.67")) for n in (11, 10, 9)}
    when = datetime(2026, 11, 29, 8, 1, tzinfo=UTC)
    row = ("K651943-1", "paid abroad by card", when, Amount(Decimal("1072000.5")), 1_234, month)
    table = Table("things", ("id", "what", "at", "in", "events", "by_month"), (row,))
    words = [*row[0:1], "2026-11-29 08:01", "1,072,000.50", "1,234"]
    words += ["1,112,346", "1,012,346", "912,346"]
    return "\n".join(lines(Portrait("C1", (table,), "CNY"), width)), words


def test_all_is_shown_where_there_is_room() -> None:
    shown, words = busy(120)
    assert not [word for word in words if word not in shown]


@pytest.mark.parametrize("width", range(36, 120, 7))
def test_what_has_no_room_is_left_out_and_nothing_is_broken(width: int) -> None:
    """In narrow terminals; what is left out is named."""
    shown, words = busy(width)
    told = [word in shown for word in words]
    assert told == sorted(told, reverse=True), "the last ones are left out first"
    assert told[0]
    assert all(told) or "no room here for:" in shown


def test_a_currency_is_told_once_and_what_repeats_is_not() -> None:
    paid = Amount(Decimal(5), "CNY")
    row = ("D1", paid, Amount(Decimal(5)), None)
    table = Table("things", ("id", "paid", "in_base_currency", "changed"), (row, row))
    shown = "\n".join(lines(Portrait("C1", (table,), "CNY")))
    assert shown.count("CNY") == 1
    assert "in base currency" not in shown
    assert "changed" not in shown


def test_the_course_of_months_is_seen() -> None:
    months = {"2026-11": Amount(Decimal(900)), "2026-10": Amount(Decimal(1))}
    table = Table("things", ("category", "by_month"), (("toys", months),))
    assert "▁█" in "\n".join(lines(Portrait("C1", (table,))))


def test_a_pipe_is_wide_unless_somebody_says_how_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == 140
    monkeypatch.setenv("COLUMNS", "90")
    assert console().width == 90


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1234567.5", "1,234,567.50"),
        ("-0.1234", "-0.1234"),
        ("1E+3", "1,000.00"),
        ("0", "0.00"),
        ("99999999999999.9999", "99,999,999,999,999.9999"),
    ],
)
def test_amounts(value: str, shown: str) -> None:
    assert amount(Decimal(value)) == shown


def test_what_an_event_brought_cannot_command_the_terminal() -> None:
    facts = Facts("profile", (Fact("residence", "Shang\x1b[2Jhai\n[bold]x"),))
    text = "\n".join(lines(Portrait("C1", (facts,))))
    assert "\x1b" not in text
    assert "[bold]x" in text
