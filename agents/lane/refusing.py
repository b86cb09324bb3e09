"""How a worker stops because most of a topic is refused (streams/refusals.py judges that)."""

from collections.abc import Iterable
from concurrent.futures import Future, wait
from typing import NoReturn

from agents.faults import Fault, die
from agents.lane.outbox import Sent
from streams.refusals import Excess, Limit

_REASONS = 3


def refuse(
    excess: Excess, limit: Limit, under_way: Iterable[Future[Sent]], patience_s: float
) -> NoReturn:
    """End the process; nothing of the chunk at hand is committed.

    The chunks that are `under_way` end first, because the message speaks of them as done.
    """
    wait(under_way, patience_s)
    reasons = ", ".join(f"{name} {n:,}" for name, n in excess.reasons.most_common(_REASONS))
    first = excess.first
    die(
        Fault.REFUSING,
        explain(excess, limit),
        reasons=reasons,
        first=str(first.place),
        detail=first.detail,
    )


def explain(excess: Excess, limit: Limit) -> str:
    """What and what to do, in the 400 characters that a log line gives a field. No event data."""
    topic, share = excess.topic, excess.refused / excess.events
    return (
        f"most of {topic} is refused: {excess.refused:,} of the last {excess.events:,} events of "
        f"partition {excess.partition} ({share:.0%}, the limit is {limit.share:.0%}). "
        f"Dead letters so far: {excess.buried:,} "
        f"(`vipcare dead-letters list --topic {topic}`); the rest waits from "
        f"{excess.first.place} on. Mend it and start again, or raise refusals.share, or let it "
        f"become dead letters: `vipcare worker --accept-broken {topic}`"
    )
