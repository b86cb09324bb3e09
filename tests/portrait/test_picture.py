"""The picture: amounts, names of any script aligned, nothing that a terminal would obey."""

from decimal import Decimal

import pytest
from rich.cells import cell_len
from rich.console import Console

from agents.portrait.picture import amount, picture
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
