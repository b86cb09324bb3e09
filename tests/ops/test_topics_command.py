"""`vipcare topics`: what it says, and with which exit status."""

import pytest

from agents.cli.main import run


@pytest.fixture(autouse=True)
def _settings(fresh_broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", fresh_broker)


def test_create_then_check(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["topics", "check"]) == 2
    said = capfd.readouterr().err
    assert said.startswith("vipcare: topic bank.core is missing: make it with `vipcare topics")
    assert run(["topics", "create"]) == 0
    assert "made vip.journal" in capfd.readouterr().out
    assert run(["topics", "check"]) == 0
    assert "topics are as they should be" in capfd.readouterr().out
    assert run(["topics", "create"]) == 0
    assert capfd.readouterr().out.startswith("0 made, ")


def test_another_partition_count(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["topics", "create"]) == 0
    monkeypatch.setenv("VIPCARE_TOPICS__PARTITIONS", "8")
    assert run(["topics", "create"]) == 2
    assert "topic bank.core has 4 partitions, not 8" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["create", "check"])
def test_no_kafka(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setattr("agents.topics._TIMEOUT_S", 0.5)
    assert run(["topics", name]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("vipcare: Kafka at 127.0.0.1:9 does not answer")
    assert said.err.count("\n") == 1
