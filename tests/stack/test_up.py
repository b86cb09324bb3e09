"""`vipcare up` as a whole: it shows what it promises, and leaves no process behind."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from schemas.events import EVENT_TYPES
from tests.stack.processes import (
    NOWHERE,
    descendants,
    only_run,
    read_until,
    refused,
    running,
    still_there,
    vipcare,
)

pytestmark = [pytest.mark.broker, pytest.mark.slow]


def _roles(processes: dict[int, str]) -> set[str]:
    """What the commands among them are."""
    commands = (args.partition("agents.cli.main ")[2] for args in processes.values())
    return {command.split()[0] for command in commands if command}


def test_a_run_ends_by_itself_and_everything_agrees(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with running(
        "up", "--for", "15s", "--data", str(tmp_path / "data"), "--report", str(report)
    ) as up:
        begun = "".join(read_until(up, "ready"))
        below = descendants(up.pid)
        said, _ = up.communicate(timeout=120)
    assert up.returncode == 0, said
    assert begun.index("days of history") < begun.index("worker-1"), "its past is there first"
    found = json.loads(report.read_text())
    assert found["reconciled"] is True
    assert found["events"] > 1_000
    assert found["tasks"] + found["alerts"] > 0
    assert found["dead_letters"] > 0
    assert found["by_type"].keys() == EVENT_TYPES.keys()
    assert sum(found["by_type"].values()) > found["events"] * 0.9
    assert said.count("360° of") == 5
    rules = "fx-frequent-cross-border|spending-turns-to-baby|complaint-raised|risk-appetite-inflow"
    assert re.search(rf"│ .* open +\w+ .* ({rules}) ", said), "no task of a story is open"
    assert _roles(below) == {"broker", "clickhouse", "worker", "sink", "bank"}
    assert not still_there(below, 1.0)


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGINT, 1), (signal.SIGTERM, 2)])
def test_a_signal_stops_everything_it_started(
    tmp_path: Path, number: signal.Signals, workers: int
) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("rules: {authors: [ann]}\n")
    asked = ("up", "--no-bank", "--workers", str(workers), "--data", str(tmp_path / "run"))
    with running(*asked, VIPCARE_SETTINGS=os.path.relpath(settings)) as up:
        read_until(up, "ready")
        below = descendants(up.pid)
        told = (tmp_path / "run" / "env").read_text()
        assert f"export VIPCARE_SETTINGS={settings}\n" in told, "wherever the other shell is"
        assert "export VIPCARE_KAFKA__BOOTSTRAP=127.0.0.1:" in told
        assert "export VIPCARE_CLICKHOUSE__PORT=" in told
        up.send_signal(number)
        said, _ = up.communicate(timeout=120)
    assert up.returncode == 0, said
    assert "everything stopped; logs in" in said
    assert _roles(below) == {"broker", "clickhouse", "worker", "sink"}
    assert not still_there(below, 1.0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a watch takes half a second more")
def test_kill_9_leaves_no_process_behind(tmp_path: Path) -> None:
    with running("up", "--data", str(tmp_path)) as up:
        read_until(up, "ready")
        below = descendants(up.pid)
        os.kill(up.pid, signal.SIGKILL)
        assert _roles(below) == {"broker", "clickhouse", "worker", "sink", "bank"}
        assert not still_there(below)


def test_a_dead_worker_is_started_again_and_a_dead_broker_ends_the_run(tmp_path: Path) -> None:
    with running("up", "--no-bank", "--data", str(tmp_path)) as up:
        read_until(up, "ready")
        below = descendants(up.pid)
        (worker,) = (pid for pid, args in below.items() if args.endswith(" worker"))
        os.kill(worker, signal.SIGKILL)
        (broker,) = (pid for pid, args in below.items() if "agents.cli.main broker" in args)
        assert not still_there({worker: "worker"})
        read_until(up, "worker-1 was killed by signal 9, started again")
        read_until(up, " ")  # a line of the summary: the run goes on
        assert up.poll() is None
        os.kill(broker, signal.SIGKILL)
        said, _ = up.communicate(timeout=120)
    assert up.returncode == 1
    assert "broker was killed by signal 9; its last lines, from " in said
    assert "Traceback" not in said
    assert not still_there(below, 1.0)


def test_while_the_past_is_told_all_are_looked_after(tmp_path: Path) -> None:
    days, customers = "1000", "3000"
    with running(
        "up",
        "--data",
        str(tmp_path),
        VIPCARE_BANK__HISTORY_DAYS=days,
        VIPCARE_BANK__CUSTOMERS=customers,
    ) as up:
        read_until(up, "✓ sink")
        below = descendants(up.pid)
        (sink,) = (pid for pid, args in below.items() if args.endswith(" sink"))
        (broker,) = (pid for pid, args in below.items() if "agents.cli.main broker" in args)
        os.kill(sink, signal.SIGKILL)
        # No terminal is there, and the past takes long: a line now and then.
        told = read_until(up, f"bank        {customers} customers, {days} days of history")[-1]
        while "sink was killed by signal 9, started again; history: " not in told:
            told = read_until(up, "bank ")[-1]
        os.kill(broker, signal.SIGKILL)
        said, _ = up.communicate(timeout=120)
    assert up.returncode == 1
    assert "broker was killed by signal 9; its last lines, from " in said
    assert not still_there(below, 1.0)


def test_a_data_folder_in_use_is_refused(tmp_path: Path) -> None:
    with running("up", "--no-bank", "--data", str(tmp_path)) as up:
        read_until(up, "Data and logs")
        assert "in use by another vipcare up" in refused(vipcare("up", "--data", str(tmp_path)))
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=120)
    assert only_run(tmp_path).is_dir()


def test_two_that_start_together_share_no_server(tmp_path: Path) -> None:
    first, second = str(tmp_path / "first"), str(tmp_path / "with a space")
    with (
        running("up", "--no-bank", "--data", first) as one,
        running("up", "--no-bank", "--data", second) as other,
    ):
        servers = [read_until(up, "ready")[-1].split(" · sink")[0].split() for up in (one, other)]
        for up in (one, other):
            up.send_signal(signal.SIGINT)
            up.communicate(timeout=120)
            assert up.returncode == 0
    places = [{word for word in words if ":" in word} for words in servers]
    assert len(places[0]) == 2
    assert not places[0] & places[1]


@pytest.mark.parametrize("option", ["--broker", "--clickhouse"])
def test_an_address_where_nobody_answers_is_refused(tmp_path: Path, option: str) -> None:
    done = vipcare("up", option, NOWHERE, "--data", str(tmp_path))
    said = refused(done)
    assert NOWHERE in said
    assert option in said


def test_a_report_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    done = vipcare("up", "--report", str(tmp_path / "no" / "report.json"))
    assert "there is no folder" in refused(done)
    assert done.stdout == ""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is a folder that takes no file")
def test_a_folder_that_takes_no_report_is_refused_before_the_run() -> None:
    done = vipcare("up", "--report", "/proc/report.json")
    assert "nothing can be written in /proc" in refused(done)
    assert done.stdout == ""
