"""Values as buckets keep them: integers, so that sums are exact, and texts."""

from decimal import Decimal
from zlib import crc32

Value = int | Decimal | str

TEXT_BYTES = 64
"""Of a text that first and last keep; the rest is cut off."""

_UNITS = [Decimal(1).scaleb(decimals) for decimals in range(9)]
_PARTS = [Decimal(1).scaleb(-decimals) for decimals in range(9)]


def scale(value: Value, decimals: int) -> int:
    """A value as the integer that a bucket keeps.

    A number is counted in units of 10^-decimals, rounded half to even; a text becomes its CRC-32,
    so distinct takes two texts for one with a chance of about n²/2³³ among n of them.
    """
    if isinstance(value, int):
        return value * int(10**decimals)
    if isinstance(value, str):
        return crc32(value.encode())
    return round(value * _UNITS[decimals])


def plain(value: Value, decimals: int) -> int | str:
    """A value as Ends keep it: a number scaled, a text as it is."""
    if isinstance(value, str):
        if len(value) <= TEXT_BYTES and value.isascii():
            return value
        return value.encode()[:TEXT_BYTES].decode(errors="ignore")
    return fit(scale(value, decimals))


def unscale(value: int, decimals: int) -> int | Decimal:
    """The number that scale made this integer of."""
    return Decimal(value) * _PARTS[decimals] if decimals else value


def fit(value: int) -> int | str:
    """The value itself where msgpack's 64 bits suffice, else as text."""
    return value if -(2**63) <= value < 2**63 else str(value)
