"""The bank's time, for commands that look at what workers did."""

from agents.cli.errors import UserError
from agents.clock_check import ClockError, checked_now
from agents.reading import ReadingError
from config.settings import Settings


def bank_time(settings: Settings) -> int:
    """Epoch milliseconds. Raises UserError where the workers have another clock."""
    try:
        return checked_now(settings)
    except (ClockError, ReadingError) as error:
        raise UserError(str(error)) from None
