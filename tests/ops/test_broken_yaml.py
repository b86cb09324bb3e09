"""A file that is no YAML: the error says where and what to do, and quotes nothing."""

from pathlib import Path

import pytest

from agents.cli.main import run
from config.load_attributes import AttributeFileErrors, read_attributes

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
    "'HUSH'HUSH": "begins with a quote go on behind it",
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
