"""The command line's frame: what it says, where, and with which exit status."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agents.cli import main
from agents.cli.params import DURATION, Address
from tests.stack.processes import refused, vipcare


@pytest.mark.parametrize("args", [["wroker"], ["--foo"], ["up", "--for", "soon"], ["up", "extra"]])
def test_a_mistake_is_one_line_and_status_2(args: list[str]) -> None:
    done = vipcare(*args)
    refused(done)
    assert done.stdout == ""


def test_the_nearest_command_is_named() -> None:
    assert "Did you mean worker?" in vipcare("wroker").stderr


def test_a_wrong_setting_is_named_and_its_value_is_not_repeated() -> None:
    done = vipcare("up", VIPCARE_TOPICS__PARTITIONS="hunter2")
    said = refused(done)
    assert "VIPCARE_TOPICS__PARTITIONS" in said
    assert "hunter2" not in said


def test_help_lists_every_command_and_imports_none() -> None:
    program = (
        "import sys; from agents.cli.main import run; status = run(['--help']);"
        "heavy = {'faust', 'chdb', 'confluent_kafka', 'aiokafka', 'pydantic', 'rich'};"
        "print(status, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.endswith("0 []\n")
    assert all(name in done.stdout for name in main.COMMANDS)


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_is_there_and_teaches(name: str) -> None:
    command = main.cli.get_command(click.Context(main.cli), name)
    assert command is not None
    assert command.help, f"vipcare {name} --help says nothing"


def _groups(group: click.Group, ctx: click.Context) -> Iterator[click.Group]:
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield command


def test_no_short_help_is_cut() -> None:
    """Of 80 columns, as click shows it."""
    ctx = click.Context(main.cli)
    for group in _groups(main.cli, ctx):
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            assert command is not None
            assert not command.get_short_help_str(60).endswith("..."), f"{group.name} {name}"


@given(st.floats(0.001, 1e6), st.sampled_from(["ms", "s", "m", "h"]))
def test_durations_are_read_as_written(number: float, unit: str) -> None:
    shown = f"{number:.3f}"
    factor = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]
    assume(float(shown) * factor <= 87_600 * 3_600)  # ten years; longer ones are refused
    assert DURATION.convert(shown + unit, None, None) == pytest.approx(float(shown) * factor)


@given(st.text().filter(lambda text: text.strip().lower()[-1:] not in {"s", "m", "h"}))
def test_any_other_text_is_refused_as_a_parameter(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write 60s, 5m or 1h"):
        DURATION.convert(text, None, None)


@pytest.mark.parametrize("text", ["embedded", "kafka:9092", "[::1]:9092"])
def test_addresses(text: str) -> None:
    assert Address("embedded").convert(text, None, None) == text


@pytest.mark.parametrize("text", ["", "kafka", "kafka:", ":9092", "kafka:0", "kafka:99999", "a:b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="HOST:PORT"):
        Address("embedded").convert(text, None, None)
