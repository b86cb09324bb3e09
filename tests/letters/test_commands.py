"""`vipcare dead-letters list` and `show`: no content, unless it is asked for."""

import json

import pytest
from msgspec import structs

from agents.cli.main import run
from schemas.dead_letters import Reason
from tests.letters.conftest import LETTERS, event, letter, send_letters


def said(capfd: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    """What a command wrote to standard output and to standard error."""
    assert run(["dead-letters", *arguments]) == status
    shown = capfd.readouterr()
    return shown.out, shown.err


def test_list(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = said(capfd, "list")
    assert "bank.core[1]@0" in out
    assert "customer.updated e1" in out
    assert "7 dead letters (malformed 2, misrouted 1, reference 1, refused 1, time 1" in out
    assert out.endswith("; 7 shown\n")
    assert "Wang" not in out + err
    assert "vip.dead-letters[0]@0 is skipped: not a dead letter" in err


@pytest.mark.parametrize(
    ("options", "offsets"),
    [
        (["--reason", "future"], [1]),
        (["--category", "malformed"], [0, 5]),
        (["--topic", "bank.app"], [3]),
        (["--customer", "C2"], [2]),
        (["--since", "1h", "--category", "time"], [1]),
        (["--limit", "2"], [5, 6]),
    ],
)
def test_list_those_that_are_meant(
    broker: str, options: list[str], offsets: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    out, _ = said(capfd, "list", *options)
    shown = [n for n in range(len(LETTERS)) if f"[1]@{n} " in out]
    assert shown == offsets


def test_list_for_programs(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(capfd, "list", "--json", "--limit", "2")[0])
    assert len(told) == 2
    assert {"refused", "category", "reason", "original", "replayed"} <= told[0].keys()
    counts = json.loads(said(capfd, "list", "--json", "--counts")[0])
    assert {one["reason"] for one in told} <= {one["reason"] for one in counts}
    assert json.loads(said(capfd, "list", "--json", "--reason", "conflict")[0]) == []


def test_list_none(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert said(capfd, "list", "--reason", "conflict")[0] == "no dead letters like that\n"
    assert said(capfd, "list", "--since", "2999-01-01")[0] == "no dead letters like that\n"
    assert "write 90m, 2h, 3d" in said(capfd, "list", "--since", "soon", status=2)[1]


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["replay", "--dry-run"]])
def test_a_topic_that_is_not_there(
    broker: str, command: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """It read as if all were well."""
    _, err = said(capfd, *command, "--topic", "bank.cores", status=2)
    assert "there is no topic bank.cores, and no letter of it; topics: bank.core, " in err


def test_a_topic_without_letters(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert said(capfd, "list", "--topic", "bank.card")[0] == "no dead letters like that\n"


def test_counts(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    out, _ = said(capfd, "list", "--counts")
    assert [line.split() for line in out.splitlines()][:3] == [
        ["topic", "category", "reason", "letters", "replayed"],
        ["bank.app", "refused", "refused", "1", "0"],
        ["bank.core", "malformed", "broken", "2", "0"],
    ]


@pytest.mark.parametrize("place", ["bank.core[1]@1", "bank.core:1:1", "vip.dead-letters[2]@1"])
def test_show(broker: str, place: str, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = said(capfd, "show", place)
    assert "reason: future" in out
    assert "category: time" in out
    assert "detail: missing field `id`" in out
    assert '"type": "customer.updated"' in out
    assert '"name": "<string>"' in out
    assert "Wang" not in out + err
    out, err = said(capfd, "show", place, "--content")
    assert out.encode() == LETTERS[1].value
    assert "may hold personal data" in err


def test_show_what_is_cut_and_what_is_no_json(
    broker: str, capfd: pytest.CaptureFixture[str]
) -> None:
    out, _ = said(capfd, "show", "bank.core[1]@4")
    assert f"cut: the first 262,144 of {LETTERS[4].length:,} bytes" in out
    assert "not JSON: 262,144 bytes" in out


def test_nothing_that_a_terminal_would_obey_is_said(
    broker: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sly = "\x1b]0;owned\x07\u202e\r" + "x" * 300 + "!"
    evil = structs.replace(
        letter(Reason.FUTURE, 9, event("e9", type=sly)),
        topic="bank.\x1b[2Jcore", detail=sly, event_type=sly, event_source=sly, event_id=sly,
    )  # fmt: skip
    send_letters(broker, [evil])
    for arguments in (
        ["list"],
        ["list", "--counts"],
        ["show", "vip.dead-letters:2:7"],
        ["show", "vip.dead-letters:2:7", "--content"],
        ["replay", "--all"],
    ):
        out, err = said(capfd, *arguments)
        if "--content" in arguments:
            out = ""  # as it is
        told = out + err
        assert "bank. [2Jcore" in told
        assert all(one.isprintable() or one == "\n" for one in told), ascii(told)
    out, _ = said(capfd, "show", "vip.dead-letters:2:7")
    assert "x" * 300 + "!" in out, "whole"


def test_the_content_of_several_is_not_mixed(
    broker: str, capfd: pytest.CaptureFixture[str]
) -> None:
    send_letters(broker, [LETTERS[1]])
    assert said(capfd, "show", "bank.core:1:1")[0].count("dead letter: ") == 2
    out, err = said(capfd, "show", "bank.core:1:1", "--content", status=2)
    assert not out
    assert "vip.dead-letters[2]@1, vip.dead-letters[2]@7" in err


def test_show_what_is_not_there(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert "no dead letter of bank.core[1]@77" in said(capfd, "show", "bank.core:1:77", status=2)[1]
    assert "'bank.core' is no place" in said(capfd, "show", "bank.core", status=2)[1]


def test_no_kafka(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setattr("agents.reading._ANSWER_S", 0.5)
    for command in (["list"], ["show", "bank.core:1:1"], ["replay", "--all"]):
        err = said(capfd, *command, status=2)[1]
        assert err.startswith("vipcare: Kafka at 127.0.0.1:9 does not answer")
        assert err.count("\n") == 1
