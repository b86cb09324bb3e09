"""Fail points: refused when wrong, nothing when unset, each action as it says, each one reached."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents import fail_points
from agents.fail_points import SINK_POINTS, VARIABLE, WORKER_POINTS, parse
from config.load import SettingsError
from tests.kill.disks import spoil
from tests.kill.keeper import wait_until
from tests.kill.run import SHORT_RATE
from tests.kill.totals import Totals
from tests.kill.world import World
from tests.lane.process import failing

_PROGRAM = """
from agents.fail_points import fail_point
from agents.logs import configure
from config.settings import LogSettings
configure(LogSettings())
for number in range(1, 4):
    fail_point("stored")
    print(number, flush=True)
"""

_ON_A_THREAD = f"""
import threading
worker = threading.Thread(target=exec, args=({_PROGRAM!r}, {{}}))
worker.start()
worker.join()
"""


def test_what_is_wrong_is_refused_with_the_list() -> None:
    with pytest.raises(SettingsError) as told:
        parse("stored:kill,nowhere:kill,stored:explode,stored:kill@0,")
    lines = told.value.lines
    assert len(lines) == 4
    assert "there is no point nowhere; there are chunk-taken, chunk-stepped" in lines[0]
    assert lines[0].endswith("sink-committed")
    assert all("POINT:ACTION" in line for line in lines[1:])


@pytest.mark.parametrize("command", ["worker", "sink"])
def test_a_command_refuses_an_unknown_point(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli.main", command],
        env={**os.environ, **failing("nowhere:kill")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no point nowhere" in done.stderr


def test_outside_of_tests_the_variable_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli.main", "worker"],
        env={**os.environ, VARIABLE: "before-commit:kill"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "unset it, or set VIPCARE_TESTING=yes" in done.stderr


def test_unset_a_point_does_nothing() -> None:
    assert VARIABLE not in os.environ
    assert fail_points.fail_point is fail_points._nothing


def test_actions_come_at_their_pass() -> None:
    assert _passed("stored:tell@2").returncode == 0
    killed = _passed("begun:kill,stored:kill@2")
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "1\n")
    raised = _passed("stored:raise@3")
    assert (raised.returncode, raised.stdout) == (1, "1\n2\n")
    assert "FailPointError: stored" in raised.stderr
    begun = time.monotonic()
    assert _passed("stored:stall=0.7@2").stdout == "1\n2\n3\n"
    assert time.monotonic() - begun > 0.7


def test_stop_stands_still_until_told_to_go_on() -> None:
    process = _start("stored:stop=0@2")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=60)[0] == "1\n2\n3\n"


def test_the_thread_that_stops_does_not_go_past() -> None:
    """Sent to the process, the signal stopped another thread first: it went past, and committed."""
    for _ in range(10):
        process = _start("stored:stop=0@2", _ON_A_THREAD)
        assert process.stdout is not None
        os.waitpid(process.pid, os.WUNTRACED)
        assert os.read(process.stdout.fileno(), 100) == b"1\n"
        process.kill()
        process.communicate()


def _start(fail: str, program: str = _PROGRAM) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, **failing(fail)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _passed(fail: str) -> "subprocess.CompletedProcess[str]":
    process = _start(fail)
    out, errors = process.communicate(timeout=60)
    return subprocess.CompletedProcess([], process.returncode, out, errors)


@pytest.mark.kafka
@pytest.mark.slow
def test_every_named_point_is_reached(tmp_path: Path) -> None:
    """A point that nothing passes tests nothing."""
    everything = ",".join(f"{point}:tell" for point in WORKER_POINTS + SINK_POINTS)
    world = World(tmp_path, "points", Totals(), SHORT_RATE)
    try:
        with world.workers("one"), world.flow():
            time.sleep(1)
        spoil(world, "one")
        world.sink.fails.append(everything)
        world.sink.kill()
        fails = {"one": [everything], "two": [everything]}
        with world.workers("one", "two", fails=fails) as workers, world.flow():
            wait_until(lambda: min(w.share() for w in workers) >= 0, "both have their share")
            workers[1].process.terminate()
            workers[1].wait_ended(0)
        assert world.verdict().good
        logs = "".join(path.read_text() for path in (tmp_path / "logs").rglob("*.log"))
    finally:
        world.close()
    reached = set(re.findall(r'"event": "fail_point".*?"point": "([a-z-]+)"', logs))
    assert reached == {*WORKER_POINTS, *SINK_POINTS}
