"""A file that is no YAML: the error says where and what to do, and quotes nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.bank.storyline_file import read_storylines
from agents.cli.main import run
from config.load_attributes import AttributeFileErrors, read_attributes
from config.load_calendar import read_calendar
from config.load_greetings import read_greetings
from config.load_rules import read_rule_files
from config.placed_yaml import FileErrors
from config.yaml_text import MAX_ADDED, MAX_DEPTH, read_yaml

MARK = "HUSH"
BROKEN = {
    "*HUSH": "begins with * must be in quotes",
    "!HUSH!x y": "begins with ! must be in quotes",
    "@HUSH": "begins with @, ` or a tab must be in quotes",
    "`HUSH": "begins with @, ` or a tab must be in quotes",
    "\tHUSH": "a tab",
    "%HUSH": "",
    "a\n  password: HUSH": "this key stands twice",
    "HUSH: x": "a colon and a blank must be in quotes",
    "x\n  HUSH": "",
    "x\n  HUSH\n  user: y": "a key needs a colon",
    "[HUSH": "in [ ] lacks a comma or its end",
    "{HUSH": "in { } lack a comma or their end",
    "'HUSH": "a quote is not closed",
    '"HUSH': "a quote is not closed",
    '"HUSH\n---\nx: "': "a quote is not closed",
    "'HUSH'HUSH": "begins with a quote ends with it",
    '"HU\\qHUSH"': "a backslash needs single quotes",
    '"HU\\xZHUSH"': "a backslash needs single quotes",
    "|HUSH": "",
    "x\n---\nHUSH: y": "one document",
    "- HUSH": "a list begins on a line of its own",
    "!!int HUSH": "use quotes",
    "!!int ''": "use quotes",
    "!!float HUSH": "use quotes",
    "!!bool HUSH": "use quotes",
    "!!set HUSH": "use quotes",
    "!!timestamp HUSH": "",
    "!!binary HUSH": "",
    "!h%ZZHUSH x": "",
    "!<HUSH": "",
    "2026-13-45": "use quotes",
    "9" * 5_000: "use quotes",
    "\x00HUSH": "a character that no text has",
    "&HUSH x\n  user: &HUSH y\n  qqq: 1": "clickhouse.qqq is unknown",
    "{HUSH: x}": "",
    "[HUSH]: 3": "",
    "? [HUSH]": "",
    "x, HUSH: [": "",
    "x}\nkafka: {sasl_password:HUSH}": "",
}
"""What stands for the password → what is said, among other things."""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "vipcare.yaml"
    monkeypatch.setenv("VIPCARE_SETTINGS", str(path))
    return path


@pytest.mark.parametrize("debug", ["", "1"])
@pytest.mark.parametrize(
    "around",
    ["clickhouse:\n  host: a\n  password: {}\n", "clickhouse: {{host: a, password: {}}}\n"],
)
def test_no_error_of_a_settings_file_quotes_a_password(
    file: Path,
    around: str,
    debug: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VIPCARE_DEBUG", debug)
    in_block = "{{" not in around
    for text, said in BROKEN.items():
        file.write_text(around.format(text))
        status = run(["settings"])
        told = capfd.readouterr()
        assert MARK not in (told.out + told.err).upper(), text
        if in_block:
            assert status == (1 if debug else 2), text
            assert f"{file}:" in told.err, text
            assert said in told.err, text


@pytest.mark.parametrize(
    "keys", ["{password:HUSH}", "{password: a,HUSH}", "{password: a, H-USH: 1}", "{? HUSH}"]
)
def test_a_piece_of_a_password_that_became_a_key_is_not_quoted(
    file: Path, keys: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file.write_text(f"kafka: {{}}\nclickhouse: {keys}\n")
    assert run(["settings"]) == 2
    told = capfd.readouterr().err
    assert f"{file}:2: a key that is written here is unknown" in told
    assert "USH" not in told


def test_a_file_of_attributes_quotes_no_value_either(tmp_path: Path) -> None:
    path = tmp_path / "attributes.yaml"
    path.write_text("attributes:\n  - name: a\n    about: *HUSH\n")
    with pytest.raises(AttributeFileErrors) as caught:
        read_attributes(path)
    said = "this is not YAML: a value that begins with * must be in quotes"
    assert str(caught.value) == f"{path}:3:12: {said}"


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
"""Ten thousand million texts in 500 bytes."""
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 500))
ALIASES = {
    BOMB: "6:10: this is not YAML: aliases (*name) make too much of this file",
    "a: 1\nb: &b {c: 1, d: *b}\n": "2:17: this is not YAML: an alias (*name) stands inside of",
    CHAIN: f"{MAX_DEPTH - 1}:12: this is not YAML: it is nested too deeply",
}
"""File → place and words."""
READERS: list[Callable[[Path], object]] = [
    read_attributes,
    read_calendar,
    lambda path: read_greetings(path.parent),
    lambda path: read_rule_files([path]),
    read_storylines,
]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("text", ALIASES)
def test_no_file_makes_much_of_a_few_aliases(
    text: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(FileErrors) as caught:
        read(path)
    assert f"{path}:{ALIASES[text]}" in str(caught.value)


@pytest.mark.parametrize("text", ALIASES)
def test_nor_do_settings(text: str, file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file.write_text(text)
    assert run(["settings"]) == 2
    line, _, said = ALIASES[text].split(":", 2)
    assert (
        f"{file}:{line}: {said.replace(' this is not', ' not').strip()}" in capfd.readouterr().err
    )


def test_aliases_within_bounds_are_as_good_as_what_they_stand_for() -> None:
    half = "x" * (MAX_ADDED // 2 - 1)
    for typ in ("safe", "rt"):
        tree = read_yaml(f"a: &a {half}\nb: [*a, *a]\n", typ)
        assert dict(tree) == {"a": half, "b": [half, half]}
