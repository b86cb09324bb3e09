"""Play the simulated bank's messages by the bank clock: history at once, then as time passes."""

from collections.abc import Callable, Iterable
from threading import Event as Signal

from agents.bank.message import Message
from agents.clock import BankClock

HISTORY_IS_TOLD = "history: all "
"""A line that begins so says that Kafka has all of a bank's past."""


def play(
    messages: Iterable[Message],
    send: Callable[[str, bytes, bytes], None],
    clock: BankClock,
    until: int | None,
    stopped: Signal,
) -> int:
    """Send each message when the clock has reached it, up to bank time `until` or until stopped.

    Returns how many were sent.
    """
    sent = 0
    for message in messages:
        if until is not None and message.at >= until:
            break
        if _wait_for(message.at, clock, stopped):
            break
        send(message.topic, message.key, message.value)
        sent += 1
    return sent


def _wait_for(at: int, clock: BankClock, stopped: Signal) -> bool:
    """Wait until the clock has reached a bank time; true if stopped meanwhile."""
    while (early := at - clock.now()) > 0:
        if stopped.wait(early / 1_000 / clock.rate):
            return True
    return stopped.is_set()
