"""Ctrl-C in the middle of a backtest: it ends soon, and its files are gone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import agents.backtest.spill as module
from agents.cli.main import run

CODE = """
import agents.backtest.spill as module
module.ROOM = 1_000_000
from agents.cli.main import main
main()
"""


def test_interrupted(tmp_path: Path) -> None:
    assert module.ROOM
    bank, spilled = tmp_path / "bank.jsonl", tmp_path / "spilled"
    spilled.mkdir()
    assert run(["bank", "--out", str(bank), "--customers", "300", "--days", "90"]) == 0
    archives = [part for _ in range(8) for part in ("--events", str(bank))]
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, "rules", "backtest", *archives, "--cores", "2"],
        env={**os.environ, "TMPDIR": str(spilled)},
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not [*spilled.glob("*/0.events")]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert [*spilled.iterdir()] == []
