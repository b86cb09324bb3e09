"""What the copier does, told: metrics every second, and a line every few while restoring."""

import asyncio
import time

import structlog

from agents.lane.copier import Copier
from schemas import metrics as m
from sinks.metrics import Metrics

LINE_EVERY_S = 5.0
_METRICS_EVERY_S = 1.0

logger = structlog.get_logger()


class Progress:
    """Watches a copier from one assignment to the next."""

    def __init__(self, copier: Copier, metrics: Metrics) -> None:
        self._copier = copier
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self.end()
        self._task = asyncio.create_task(self._watch(), name="copier-progress")

    def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for gauge in (m.RESTORE_LEFT, m.STANDBY_LAG):
            self._metrics.forget(gauge)
        self._metrics.set(m.STANDBYS, 0)

    async def _watch(self) -> None:
        begun = told = time.monotonic()
        start = self._left()
        while True:
            self.measure()
            await asyncio.sleep(_METRICS_EVERY_S)
            now, left = time.monotonic(), self._left()
            if left and now - told >= LINE_EVERY_S:
                told = now
                self._tell(left, (start - left) / (now - begun))

    def _left(self) -> int:
        return sum(copy.left for copy in self._copier.restoring.values())

    def _tell(self, left: int, rate: float) -> None:
        logger.info(
            "restoring",
            partitions=sorted(n for n, copy in self._copier.restoring.items() if copy.left),
            left=left,
            per_second=round(rate),
            seconds_left=round(left / rate) if rate else None,
        )

    def measure(self) -> None:
        """Set the gauges to what is so now."""
        standbys = self._copier.standbys
        self._metrics.set(m.STANDBYS, len(standbys))
        for number, copy in standbys.items():
            self._metrics.set(m.STANDBY_LAG, copy.left, str(number))
        self._metrics.forget(m.RESTORE_LEFT)
        for number, copy in self._copier.restoring.items():
            self._metrics.set(m.RESTORE_LEFT, copy.left, str(number))
