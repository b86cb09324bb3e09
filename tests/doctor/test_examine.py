"""The doctor comes to an end, whatever does not answer, and says what it did not look at."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from agents.doctor.examine import examine
from agents.doctor.finding import Check, Examined, Finding, Verdict, fail, ok
from config.settings import Settings
from tests.ports import free_port
from tests.stack.processes import NOWHERE, vipcare

NOBODY = Examined(Settings())


def _well(_: Examined) -> list[Finding]:
    return [ok("well")]


def _ill(_: Examined) -> list[Finding]:
    return [fail("ill", "rest")]


def test_what_comes_after_something_wrong_is_not_asked() -> None:
    asked = []

    def remember(_: Examined) -> list[Finding]:
        asked.append(True)
        return [ok("asked")]

    checks = [
        Check("third", remember, after="second"),
        Check("first", _ill),
        Check("second", remember, after="first"),
        Check("after well", remember, after="well"),
        Check("well", _well),
    ]
    report = examine(checks, NOBODY, 5)
    assert list(report.findings) == ["first", "after well", "well"]
    assert report.skipped == {"second": "first", "third": "second"}
    assert len(asked) == 1
    assert not report.well


def test_a_role_is_asked_what_is_its_own() -> None:
    checks = [
        Check("of the sink", _ill, frozenset({"sink"})),
        Check("of both", _well, frozenset({"sink", "worker"}), after="of the sink"),
    ]
    report = examine(checks, Examined(Settings(), frozenset({"worker"})), 5)
    assert list(report.findings) == ["of both"]
    assert report.well


def test_a_check_that_does_not_come_back_and_one_that_raises() -> None:
    never = threading.Event()

    def wait(_: Examined) -> list[Finding]:
        never.wait(60)
        return [ok("late")]

    def stumble(_: Examined) -> Iterator[Finding]:
        yield ok("so far")
        raise ZeroDivisionError("by nothing")

    def tire(_: Examined) -> list[Finding]:
        raise TimeoutError  # as a client's call that has a time

    checks = [
        Check("waits", wait),
        Check("stumbles", stumble),
        Check("tires", tire),
        Check("well", _well),
    ]
    began = time.monotonic()
    report = examine(checks, NOBODY, 0.3)
    never.set()
    assert time.monotonic() - began < 5
    (late,), (stumbled,) = report.findings["waits"], report.findings["stumbles"]
    assert report.late == {"waits"}
    assert late.verdict is Verdict.FAIL
    assert "no answer in 0.3 s" in late.what
    assert "ZeroDivisionError: by nothing" in stumbled.what
    assert report.worst("tires") is Verdict.WARN
    assert report.worst("well") is Verdict.OK


def test_nobody_answers() -> None:
    kafka, port = NOWHERE, str(free_port())
    told = vipcare("doctor", VIPCARE_KAFKA__BOOTSTRAP=kafka, VIPCARE_CLICKHOUSE__PORT=port)
    assert told.returncode == 1, told.stdout + told.stderr
    assert f"Kafka at {kafka} does not answer" in told.stdout
    assert f"ClickHouse at 127.0.0.1:{port}: it does not answer" in told.stdout
    assert "not looked at: kafka comes first" in told.stdout
    assert "2 wrong" in told.stdout
    assert told.stderr == ""


@pytest.mark.parametrize("role", ["worker", "sink"])
def test_who_listens_and_says_nothing_does_not_hold_it_up(role: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:  # accepts, by the kernel, and is silent
        port = mute.getsockname()[1]
        began = time.monotonic()
        told = vipcare(
            *("doctor", "--json", "--role", role, "--limit", "20s"),  # other checks are in time
            VIPCARE_KAFKA__BOOTSTRAP=f"127.0.0.1:{port}",
            VIPCARE_CLICKHOUSE__PORT=str(port),
        )
    assert time.monotonic() - began < 100
    assert told.returncode == 1, told.stderr
    said = json.loads(told.stdout)
    assert said["well"] is False
    assert said["role"] == role
    wrong = {one["check"] for one in said["findings"] if one["verdict"] == "fail"}
    assert wrong == ({"kafka"} if role == "worker" else {"kafka", "clickhouse"})
    assert said["not_looked_at"]["topics"] == "kafka"
