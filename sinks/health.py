"""What a process says of its own health, and how long things have stayed as they are."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

RUNNING = "running"
STALLED = "stalled"


@dataclass(frozen=True, slots=True)
class Health:
    """One look at a process."""

    state: str
    """One word: RUNNING, STALLED, or another one of its kind of process."""
    reason: str = ""
    """One line for the operator, without event data; empty while all is well."""
    detail: Mapping[str, object] = field(default_factory=dict)
    """What JSON can hold."""

    @property
    def alive(self) -> bool:
        """If not, a restart may mend it."""
        return self.state != STALLED

    @property
    def ready(self) -> bool:
        """If not, waiting may mend it."""
        return self.state == RUNNING


class Ages:
    """For how long values have not changed, by a clock that the caller advances.

    Not by real time: a process that was stopped, or a machine that slept, did not stall meanwhile.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._before: dict[Hashable, tuple[object, float]] = {}
        self._seen: dict[Hashable, tuple[object, float]] = {}

    def advance(self, seconds: float) -> None:
        """Begin the next look, so many seconds after the last; forget what that did not ask for."""
        self._now += seconds
        self._before, self._seen = self._seen, {}

    def of(self, key: Hashable, value: object) -> float:
        """Seconds for which `value` has been what is seen under `key`; 0 when it is new."""
        before = self._before.get(key)
        kept = before if before is not None and before[0] == value else (value, self._now)
        self._seen[key] = kept
        return self._now - kept[1]
