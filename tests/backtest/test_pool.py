"""Processes that are ended from outside end what waits for them, with a word."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import get_context, spawn
from signal import SIGKILL

import pytest

from agents.backtest.archived import ArchiveError
from agents.backtest.pool import processes

HOLDS_A_POOL = """
import time
from agents.backtest.pool import processes
with processes(1) as pool:
    pool.submit(len, "").result()
    print("ready", flush=True)
    time.sleep(60)
"""
LARGE = b"x" * 1_000_000
"""More than a pipe holds."""


def ended(_: bytes) -> None:
    os.kill(os.getpid(), SIGKILL)


def ready(_: bytes) -> None:
    pass


@pytest.fixture
def no_python() -> Iterator[None]:
    """Processes that end before they have read anything."""
    before = spawn.get_executable()
    get_context("spawn").set_executable(shutil.which("false") or "")
    yield
    get_context("spawn").set_executable(os.fsdecode(before))


@pytest.mark.timeout(60)
def test_one_that_is_ended_while_it_prepares() -> None:
    with pytest.raises(ArchiveError, match="memory"), processes(2, ended, LARGE) as pool:
        pool.submit(len, "").result()


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("no_python")
def test_one_that_is_ended_before_it_reads() -> None:
    with pytest.raises(ArchiveError, match="memory"), processes(2, ready, LARGE) as pool:
        pool.submit(len, "").result()


def test_others_get_what_they_are_prepared_with() -> None:
    with processes(2, ready, LARGE) as pool:
        assert pool.submit(len, "abc").result() == 3


def test_they_end_with_the_first_however_it_ends() -> None:
    """They hold what it wrote to, which ends once nobody does."""
    first = subprocess.Popen([sys.executable, "-c", HOLDS_A_POOL], stdout=subprocess.PIPE)
    assert first.stdout is not None
    assert first.stdout.readline() == b"ready\n"
    first.kill()
    first.communicate(timeout=60)
