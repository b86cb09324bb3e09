"""`vipcare dead-letters`: a table without content, one letter, and its content only on request."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from agents.cli.main import run
from agents.local.broker import EmbeddedBroker
from agents.topics import create
from config.load import load_settings
from schemas.dead_letters import Reason, dead_letter

VALUE = b'{"name": "Wang"}'


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A broker with all topics and two dead letters, and a message that is none."""
    with EmbeddedBroker() as broker:
        monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", broker.bootstrap)
        create(load_settings())
        _fill(broker.bootstrap)
        yield broker.bootstrap


def _fill(bootstrap: str) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for offset, reason in enumerate((Reason.BROKEN, Reason.FUTURE)):
        letter = dead_letter(
            reason,
            "missing field `id`",
            topic="bank.core",
            partition=1,
            offset=offset,
            key=b"c1",
            value=VALUE,
            event_type="customer.updated",
            event_id=f"e{offset}",
        )
        headers: list[tuple[str, str | bytes | None]] = [*letter.headers()]
        producer.produce("vip.dead-letters", letter.value, letter.key, partition=2, headers=headers)
    producer.produce("vip.dead-letters", b"stray", partition=0)
    producer.flush(20)


def test_list(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["dead-letters", "list"]) == 0
    shown = capfd.readouterr()
    assert "broken" in shown.out
    assert "bank.core[1]@0" in shown.out
    assert "customer.updated e1" in shown.out
    assert "2 of 2 shown (broken 1, future 1)" in shown.out
    assert "Wang" not in shown.out + shown.err
    assert "vip.dead-letters[0]@0 is skipped: not a dead letter" in shown.err


def test_list_by_reason_and_the_last(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["dead-letters", "list", "--reason", "future"]) == 0
    assert "1 of 1 shown (future 1)" in capfd.readouterr().out
    assert run(["dead-letters", "list", "--limit", "1"]) == 0
    shown = capfd.readouterr().out
    assert "1 of 2 shown" in shown
    assert "bank.core[1]@1" in shown
    assert "bank.core[1]@0" not in shown
    assert run(["dead-letters", "list", "--reason", "conflict"]) == 0
    assert "no dead letters with reason conflict" in capfd.readouterr().out


@pytest.mark.parametrize("place", [["bank.core", "1", "1"], ["vip.dead-letters", "2", "1"]])
def test_show(broker: str, place: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["dead-letters", "show", *place]) == 0
    shown = capfd.readouterr()
    assert "reason: future" in shown.out
    assert "detail: missing field `id`" in shown.out
    assert "Wang" not in shown.out
    assert run(["dead-letters", "show", *place, "--content"]) == 0
    shown = capfd.readouterr()
    assert shown.out.encode() == VALUE
    assert "may hold personal data" in shown.err


def test_show_what_is_not_there(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["dead-letters", "show", "bank.core", "1", "7"]) == 2
    assert "no dead letter of bank.core[1]@7" in capfd.readouterr().err


def test_no_kafka(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setattr("agents.reading._ANSWER_S", 0.5)
    assert run(["dead-letters", "list"]) == 2
    said = capfd.readouterr().err
    assert said.startswith("vipcare: Kafka at 127.0.0.1:9 does not answer")
    assert said.count("\n") == 1
