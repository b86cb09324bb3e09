"""What an archive holds in memory is bounded, whatever its messages are."""

from pathlib import Path

import pytest

import agents.backtest.spill as module
from agents.backtest.archived import Archived
from agents.backtest.spill import Spill
from streams.context import CoreSettings


@pytest.mark.parametrize("value", [None, b"{}", b'{"subject":"C1"}'])
def test_many_that_say_little_go_into_files(
    value: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOM", 100_000)
    spill = Spill(tmp_path, CoreSettings(partitions=4), now=0)
    archive = [Archived("bank.core", n, f"C{n % 7}".encode(), value) for n in range(1_000)]
    for _ in spill.fill(archive):
        pass
    assert spill.is_in_files
    found = [one for share in spill.shares() for _, some in share.take() for one in some]
    assert sorted(found, key=lambda one: one.offset) == archive
