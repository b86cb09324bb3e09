"""Running `vipcare` as a user does, and seeing which processes it leaves behind."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOWHERE = "127.0.0.1:1"
"""Nobody listens on port 1."""


def vipcare(
    *args: str, timeout_s: float = 120, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command line to its end."""
    with started(*args, **environment) as process:
        return ended(process, timeout_s)


@contextmanager
def started(*args: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """A command line that comes to its end by itself; killed with the block at the latest."""
    with subprocess.Popen(
        [sys.executable, "-m", "agents.cli.main", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: "subprocess.Popen[str]", timeout_s: float) -> "subprocess.CompletedProcess[str]":
    """What became of a command that was started."""
    said, complained = process.communicate(timeout=timeout_s)
    return subprocess.CompletedProcess(process.args, process.returncode, said, complained)


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line of a command that was refused; asserts that it was, and how."""
    lines = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("vipcare: ")
    assert "Traceback" not in done.stderr + done.stdout
    return lines[0]


@contextmanager
def running(*args: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """A `vipcare` command in the background; killed in the end, if it is still there."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "agents.cli.main", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
        env={**os.environ, **environment},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: "subprocess.Popen[str]", words: str) -> list[str]:
    """What the process says, up to the line that begins with these words."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(words):
            return lines
    raise AssertionError(f"ended without {words!r}: {''.join(lines)}")


def descendants(root: int) -> dict[int, str]:
    """Every process below `root`: id → command line."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    found: dict[int, str] = {}
    parents = {root}
    while parents:
        below = {int(pid): args for pid, parent, args in rows if int(parent) in parents}
        found |= below
        parents = set(below)
    return found


def still_there(pids: dict[int, str], within_s: float = 10.0) -> dict[int, str]:
    """Those that have not ended within the time; one that only waits to be reaped has ended."""
    deadline = time.monotonic() + within_s
    while (left := {pid: args for pid, args in pids.items() if _runs(pid)}) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.05)
    return left


def _runs(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def only_run(data: Path) -> Path:
    """The folder of the only run below a data folder."""
    (run,) = data.glob("run-*")
    return run
