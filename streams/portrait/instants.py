"""The record's times as people read them."""

from datetime import datetime, tzinfo

from schemas.envelope import from_millis


def instant(millis: int | None, zone: tzinfo) -> datetime | None:
    """Epoch milliseconds in a time zone; None for what never was."""
    return None if millis is None or millis < 0 else from_millis(millis).astimezone(zone)
