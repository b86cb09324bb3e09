"""What ends a backtest in the middle: it ends soon, and its files are gone."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import agents.backtest.spill as module
from agents.cli.main import run
from agents.own_folder import own_folder

CODE = """
import agents.backtest.spill as module
module.ROOM = 1_000_000
from agents.cli.main import main
main()
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bank") / "bank.jsonl"
    assert run(["bank", "--out", str(path), "--customers", "300", "--days", "90"]) == 0
    for copy in copies(path):
        copy.hardlink_to(path)
    return path


def copies(bank: Path) -> list[Path]:
    return [bank.with_name(f"{number}.jsonl") for number in range(8)]


@contextmanager
def running(bank: Path, folder: Path, *before: str) -> Iterator[subprocess.Popen[bytes]]:
    """A backtest that has written customers' events into TMPDIR."""
    assert module.ROOM
    spilled = folder / "spilled"
    spilled.mkdir()
    archives = [part for copy in copies(bank) for part in ("--events", str(copy))]
    asked = ["rules", "backtest", *archives, "--out", str(folder / "out"), "--cores", "2"]
    process = subprocess.Popen(
        [*before, sys.executable, "-c", CODE, *asked],
        env={**os.environ, "TMPDIR": str(spilled)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not [*spilled.glob("*/0.events")]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1)
        yield process
    finally:
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted(bank: Path, tmp_path: Path, number: signal.Signals) -> None:
    """The whole group hears of it, as when a terminal is closed; more than once."""
    with running(bank, tmp_path) as process:
        os.kill(process.pid, number)
        if number != signal.SIGINT:  # a second Ctrl-C means that someone cannot wait
            time.sleep(0.1)
            os.killpg(process.pid, number)
        _, told = process.communicate(timeout=60)
    # One that ends before it hears of it again says so, and the last one finds nothing to clean up.
    assert process.returncode in {130, -number}, told
    assert b"interrupted" in told
    assert [*(tmp_path / "spilled").iterdir()] == []
    assert [one.name for one in tmp_path.iterdir()] == ["spilled"]


def test_nohup(bank: Path, tmp_path: Path) -> None:
    with running(bank, tmp_path, "nohup") as process:
        os.killpg(process.pid, signal.SIGHUP)
        time.sleep(1)
        assert process.poll() is None
        process.terminate()
        process.communicate(timeout=60)


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("agents.own_folder.flock", fails)
    with own_folder() as one, own_folder() as other:
        assert one.exists()
        assert other.exists()
    assert [*tmp_path.iterdir()] == []


def test_killed(bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the owner can read what stays; whoever needs a folder next takes it away."""
    spilled = tmp_path / "spilled"
    monkeypatch.setenv("TMPDIR", str(spilled))
    with running(bank, tmp_path) as process:
        (folder,) = {one.parent for one in spilled.glob("*/*.events")}
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "out.part").stat().st_mode & 0o777 == 0o600
        with own_folder() as other:
            assert folder.exists(), "its process lives"
            process.kill()
            process.communicate(timeout=60)
            with own_folder():
                assert other.exists()
                assert not folder.exists()
    assert [*spilled.iterdir()] == []
