"""Rows that cannot be kept are an error, told after the client has been read to its end."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.local_clickhouse.errors import ServerError
from sinks.local_clickhouse.inserting import Spool


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Files may not grow past 64 KiB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_written_is_at_its_path(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.write(b"one ")
        spool.write(memoryview(b"two"))
        assert Path(spool.path()).read_bytes() == b"one two"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_kept_for_later(tmp_path: Path, small_disk: None) -> None:
    with Spool(tmp_path) as spool:
        for _ in range(3):
            spool.write(b"x" * 64 * 1024)
        assert spool.failure is not None
        assert (spool.failure.code, str(tmp_path) in spool.failure.message) == (75, True)


def test_a_disk_that_is_full_at_the_last_byte(tmp_path: Path, small_disk: None) -> None:
    with Spool(tmp_path) as spool:
        spool.write(b"x" * 64 * 1024)
        spool.write(b"x")
        assert spool.failure is None
        with pytest.raises(ServerError, match="cannot be kept"):
            spool.path()


def test_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(ServerError) as caught:
        Spool(tmp_path / "nowhere")
    assert caught.value.code == 75
