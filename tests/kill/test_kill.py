"""Some of the kill scenarios, for every test run; `make kill` plays them all."""

from pathlib import Path

import pytest

from tests.kill.run import SHORT, SHORT_RATE, run
from tests.kill.totals import Totals


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_whatever_dies_an_event_counts_once(tmp_path: Path) -> None:
    totals = Totals()
    run("short", SHORT, tmp_path, print, totals, SHORT_RATE)
    assert (totals.lost, totals.doubled) == (0, 0)
    assert totals.kills > 0
    assert totals.zombies > 0
    assert totals.timers > 0
