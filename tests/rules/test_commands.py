"""`vipcare rules check` and `vipcare rules list`, through the command line itself."""

import re
from pathlib import Path

import pytest

from agents.cli.main import run
from tests.ports import free_port


def test_check_of_the_shipped_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "check"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("ok: ")
    assert re.search(r"up to \d+ kB of the 711 kB of a record", out)


def test_check_tells_each_problem_on_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text("id: a\nversions: 1\n")
    assert run(["rules", "check", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert not said.out
    assert f"{tmp_path / 'a.yaml'}:2:1: versions: not a key here" in said.err
    assert "Traceback" not in said.err


def test_check_of_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "check", str(tmp_path / "absent.yaml")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "absent.yaml" in lines[0]
    assert "no such file" in lines[0]


def test_list_names_every_rule_where_no_register_can_be_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", f"127.0.0.1:{free_port()}")
    assert run(["rules", "list"]) == 0
    out, err = capsys.readouterr()
    assert "of files: Kafka at" in err
    assert "unusual-amount@" in out
    assert "fx-frequent-cross-border@3  live  opportunity  transfer.completed  37 kB" in out
    assert "异常大额转账" in out
