"""The CPU time of another process between two moments, from /proc."""

import os
import threading
import time
from bisect import bisect_right
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY_S = 0.01


class CpuMeter:
    """Looks at a process a hundred times a second; asked afterwards. Costs a percent of a core."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._times: list[int] = []
        self._spent: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def between(self, start: int, end: int) -> float | None:
        """User and system seconds; times in epoch milliseconds. None where there is no /proc."""
        if not self._times:
            return None
        return self._at(end) - self._at(start)

    def _at(self, moment: int) -> float:
        return self._spent[max(bisect_right(self._times, moment) - 1, 0)]

    def _look(self) -> None:
        while not self._ended.wait(_EVERY_S):
            try:
                text = self._stat.read_text()
            except OSError:
                return
            # After the name in brackets, which may hold spaces: fields 14 and 15, from field 3.
            fields = text.rpartition(")")[2].split()
            self._times.append(time.time_ns() // 1_000_000)
            self._spent.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
