"""Ctrl-C and SIGTERM as a question that loops ask, so that nothing is left half started."""

import signal
import time
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):  # noqa: N818  # not an error: someone asked us to end
    """Someone asked us to end."""


class Interrupts:
    """While open, signals are only counted. Use it in the main thread."""

    def __init__(self) -> None:
        self._pending = 0

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._count) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _count(self, _signal: int, _frame: FrameType | None) -> None:
        self._pending += 1

    @property
    def pending(self) -> bool:
        """Whether someone asked since the last `check`."""
        return self._pending > 0

    def check(self) -> None:
        """Raises Interrupted once for what has come until now."""
        if self._pending:
            self._pending = 0
            raise Interrupted

    def pause(self, seconds: float) -> None:
        """Sleep, but not past a signal. Raises Interrupted."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, 0.05))
        self.check()
