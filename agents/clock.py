"""The bank clock: real time, or an origin and a rate, shared by all processes of a stack."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from config.settings import ClockSettings
from schemas.envelope import to_millis


@dataclass(frozen=True, slots=True)
class BankClock:
    """Bank time = origin + (real time - started) x rate. All in epoch milliseconds."""

    rate: float = 1.0
    origin: int = 0
    started: int = 0

    @classmethod
    def from_settings(cls, settings: ClockSettings) -> "BankClock":
        if settings.origin is None or settings.started is None:
            return cls()
        return cls(settings.rate, setting_millis(settings.origin), setting_millis(settings.started))

    def now(self) -> int:
        """The bank's time, epoch milliseconds."""
        return self.at(real_millis())

    def at(self, real: int) -> int:
        """The bank's time at a real time, both in epoch milliseconds."""
        return self.origin + int((real - self.started) * self.rate)


def real_millis() -> int:
    return time.time_ns() // 1_000_000


def setting_millis(instant: datetime) -> int:
    """A setting's instant as epoch milliseconds; without a zone it is UTC."""
    return to_millis(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
