"""The thread that looks after its own process, and ends it when it has stalled for long.

It shares nothing with what it watches but values that it reads, so it goes on when an event loop
is blocked or a lock is never released. (It cannot run while native code keeps the GIL, or while
the process is stopped; then nobody answers probes, and that is what whoever supervises sees.)
"""

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import NoReturn, Self

import structlog

from sinks.health import Health

_MAX_TICK_S = 5.0
"""A longer time between two looks is a pause of the whole process: no time that it had."""
_LAST_RESORT_S = 10.0
_MAX_FRAMES = 30
_log = structlog.get_logger(__name__)


class Watchdog:
    """Looks once in `every_s`. `look` gets the seconds since the last look.

    A process that is not alive for `exit_after_s` (0: never) ends through `end`, which gets the
    reason; if that does not return to the system, with `status` some seconds later.
    """

    def __init__(
        self,
        look: Callable[[float], Health],
        *,
        exit_after_s: float,
        end: Callable[[str], NoReturn],
        status: int,
        every_s: float = 1.0,
    ) -> None:
        self._look = look
        self._exit_after_s = exit_after_s
        self._end = end
        self._status = status
        self._every_s = every_s
        self._health = Health("starting")
        self._looked = time.monotonic()
        self._stalled_s: float | None = None
        self._last_resort: threading.Timer | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_MAX_TICK_S)
        self._revive()

    def health(self) -> Health:
        """What the last look found; may be called from any thread."""
        return self._health

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            now = time.monotonic()
            elapsed, self._looked = min(now - self._looked, _MAX_TICK_S), now
            try:
                self._note(self._look(elapsed), elapsed)
            except Exception as error:  # a watchdog that died unseen would be worse
                _log.exception("watchdog_failed")
                self._end(f"the watchdog failed: {type(error).__name__}")

    def _note(self, health: Health, elapsed: float) -> None:
        if health.state != self._health.state:
            _log.info("health", state=health.state, reason=health.reason)
        self._health = health
        if health.alive:
            self._revive()
        elif self._stalled_s is None:
            self._found(health)
        else:
            self._stalled_s += elapsed
            if self._exit_after_s and self._stalled_s >= self._exit_after_s:
                self._end(health.reason)

    def _found(self, health: Health) -> None:
        self._stalled_s = 0.0
        if self._exit_after_s:
            # Logging may be what stands still: a full pipe, a lock.
            seconds = self._exit_after_s + _LAST_RESORT_S
            self._last_resort = threading.Timer(seconds, os._exit, (self._status,))
            self._last_resort.daemon = True
            self._last_resort.start()
        _log.error("stalled", reason=health.reason, exit_after_s=self._exit_after_s)
        for thread, stack in stacks().items():
            _log.error("stack", thread=thread, frames=stack)

    def _revive(self) -> None:
        self._stalled_s = None
        if self._last_resort is not None:
            self._last_resort.cancel()
            self._last_resort = None


def stacks() -> dict[str, list[str]]:
    """Thread name → where it is, innermost first; places in code alone, no values."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    mine = threading.get_ident()
    return {
        f"{names.get(ident, 'unknown')}-{ident}": [
            f"{PurePath(place.filename).name}:{place.lineno} {place.name}"
            for place in reversed(traceback.extract_stack(frame, _MAX_FRAMES))
        ]
        for ident, frame in sys._current_frames().items()
        if ident != mine
    }
