"""Fail points: named places at which a test makes a process die, stop, stall or raise.

`VIPCARE_FAIL=before-commit:kill@17` kills this process when it passes that point for the 17th
time. Several are joined by commas, and each is POINT:ACTION[=SECONDS][@PASS]. The actions:

- `kill`: SIGKILL, as a power cut would;
- `stop`: after SECONDS (0.3: what was produced reaches Kafka), SIGSTOP;
- `stall`: this thread does nothing for SECONDS, or for ever;
- `raise`: FailPointError;
- `tell`: nothing but the log line that each of them writes.

For tests alone: without `VIPCARE_TESTING=yes` beside it the variable is refused, so that no process
dies of one that was left behind. Unset, a point is a call of a function that does nothing: 30 ns, a
dozen times a chunk, never for each event.
"""

import os
import re
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import structlog

from config.load import SettingsError
from sinks.clickhouse.points import Point as SinkPoint

VARIABLE = "VIPCARE_FAIL"
SWITCH = "VIPCARE_TESTING"
_STOP_AFTER_S = 0.3
_FOR_EVER_S = 86_400.0
_SHAPE = re.compile(r"([a-z-]+):(kill|stop|stall|raise|tell)(?:=(\d+(?:\.\d+)?))?(?:@([1-9]\d*))?")

ChunkPoint = Literal[
    "chunk-taken",  # between steps 1 and 2 of agents/lane/runner.py
    "chunk-stepped",  # 2 and 3
    "transaction-begun",  # in 3: nothing was produced
    "changes-produced",  # in 3: records, journal and position were produced, effects were not
    "before-commit",  # 3 and 4
    "committed",  # 4 and 5
    "stored",  # 5 and 6
    "acknowledged",  # after 6
]
TakeOverPoint = Literal[
    "taking-over",  # partitions are assigned, their earlier owner may still write
    "others-fenced",  # it may not any more; nothing is restored
    "copy-wiping",  # a local copy that is of no use is closed and still there
    "copies-checked",  # before the changelog is read
    "restoring",  # a piece of the changelog is read, not written
    "restored",  # it is written
    "seeking",  # everything is restored
    "sought",  # the inputs are at their positions, no runner has begun
    "begun",
]
RevokePoint = Literal[
    "draining",  # partitions are revoked, or the worker stops; chunks are under way
    "drained",  # no chunk is under way; the group's offsets are not committed
    "offsets-committed",
    "copies-closed",  # of partitions that went to another worker
]
Point = ChunkPoint | TakeOverPoint | RevokePoint | SinkPoint
WORKER_POINTS: tuple[str, ...] = (
    *get_args(ChunkPoint),
    *get_args(TakeOverPoint),
    *get_args(RevokePoint),
)
SINK_POINTS: tuple[str, ...] = get_args(SinkPoint)


class FailPointError(RuntimeError):
    """What the action `raise` raises."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens at one pass of a point."""

    point: str
    action: str
    seconds: float | None = None
    number: int = 1
    """The pass, from 1, over all threads of the process."""

    def act(self) -> None:
        structlog.get_logger().warning(
            "fail_point", point=self.point, action=self.action, number=self.number
        )
        match self.action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                time.sleep(_STOP_AFTER_S if self.seconds is None else self.seconds)
                # To this thread: a signal to the process may be taken by another one, and this one
                # goes past the point, and commits, before all of them stand still.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
            case "stall":
                time.sleep(_FOR_EVER_S if self.seconds is None else self.seconds)
            case "raise":
                raise FailPointError(self.point)


class FailPoints:
    """Counts the passes of all points and acts on the plans."""

    def __init__(self, plans: list[Plan]) -> None:
        self._plans: dict[str, list[Plan]] = defaultdict(list)
        for plan in plans:
            self._plans[plan.point].append(plan)
        self._passes: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reach(self, point: Point) -> None:
        with self._lock:
            self._passes[point] += 1
            number = self._passes[point]
        for plan in self._plans.get(point, ()):
            if plan.number == number:
                plan.act()


def parse(text: str) -> list[Plan]:
    """What the variable says. Raises SettingsError with a line for each part that is wrong."""
    plans, problems = [], []
    for part in text.split(","):
        found = _SHAPE.fullmatch(part)
        if found is None:
            problems.append(
                f"environment variable {VARIABLE}: {part!r} is not POINT:ACTION[=SECONDS][@PASS] "
                "with the action kill, stop, stall, raise or tell"
            )
        elif found[1] not in WORKER_POINTS + SINK_POINTS:
            known = ", ".join(WORKER_POINTS + SINK_POINTS)
            problems.append(
                f"environment variable {VARIABLE}: there is no point {found[1]}; there are {known}"
            )
        else:
            seconds = None if found[3] is None else float(found[3])
            plans.append(Plan(found[1], found[2], seconds, int(found[4] or 1)))
    if problems:
        raise SettingsError(problems)
    return plans


def _nothing(_point: Point) -> None:
    """Unset: a point costs this call."""


def _from_environment() -> Callable[[Point], None]:
    text = os.environ.get(VARIABLE)
    if not text:
        return _nothing
    if os.environ.get(SWITCH) != "yes":
        raise SettingsError(
            [
                f"environment variable {VARIABLE} makes this process fail on purpose: unset it, or "
                f"set {SWITCH}=yes if this is a test"
            ]
        )
    return FailPoints(parse(text)).reach


fail_point = _from_environment()
"""Call it at a point. Bound once, when the process starts."""
