"""What goes wrong on the way from a bank to vipcare: each makes one bad message of a good event."""

from collections.abc import Callable
from random import Random
from typing import Any

from msgspec.structs import replace

from agents.bank.message import Message, envelope, iso, message
from streams.durations import DAY_MS

Envelope = dict[str, Any]
Mishap = Callable[[Random, Envelope, int], Message]
"""Of an event that was just sent, at a bank time. The event itself stays as it is."""


def cut_short(rng: Random, event: Envelope, at: int) -> Message:
    whole = message(event, at)
    return replace(whole, value=whole.value[: rng.randint(1, len(whole.value) - 1)])


def without_time(rng: Random, event: Envelope, at: int) -> Message:
    _ = rng
    return message({name: part for name, part in _other(event).items() if name != "time"}, at)


def amount_that_is_none(rng: Random, event: Envelope, at: int) -> Message:
    _ = rng
    data = {
        "transfer": f"{event['id']}-t",
        "account": "A000000-1",
        "direction": "out",
        "amount": "NaN",
        "currency": "CNY",
        "base_amount": "NaN",
    }
    broken = envelope(f"{event['id']}-x", "transfer.completed", event["subject"], at, data)
    return message(broken, at)


def from_the_future(rng: Random, event: Envelope, at: int) -> Message:
    ahead = at + rng.randint(3_000, 4_000) * DAY_MS
    return message(_other(event) | {"time": iso(ahead)}, at)


def second_version(rng: Random, event: Envelope, at: int) -> Message:
    """The same source and id once more, but with another time: which one is true?"""
    return message(event | {"time": iso(at - rng.randint(1_000, 60_000))}, at)


def not_text(rng: Random, event: Envelope, at: int) -> Message:
    """Bytes that are no UTF-8, as of a record in another encoding."""
    return replace(message(event, at), value=b"\xd6\xd0\xb9\xfa" + rng.randbytes(12))


def newer_type(rng: Random, event: Envelope, at: int) -> Message:
    """No mistake: a type that this version of vipcare does not know yet, and skips."""
    _ = rng
    value = message(_other(event), at).value.replace(
        f'"type":"{event["type"]}"'.encode(), b'"type":"loyalty.points_granted"'
    )
    return replace(message(event, at), value=value)


def key_of_another(rng: Random, event: Envelope, at: int) -> Message:
    """Sent under the key of somebody who is no customer, whoever the customers are."""
    said = message(event | {"id": f"{event['id']}-k"}, at)
    return replace(said, key=f"C{rng.randint(0, 99_999):06d}".encode())


def _other(event: Envelope) -> Envelope:
    return event | {"id": f"{event['id']}-x"}


MISHAPS: tuple[Mishap, ...] = (
    cut_short,
    amount_that_is_none,
    from_the_future,
    without_time,
    second_version,
    not_text,
    newer_type,
)
"""They take turns, so that all of them are seen."""
