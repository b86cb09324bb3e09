"""How large a record may be by now: a bound, so that it is seldom encoded to know its size.

From its size on, each event lets it grow by what follows from the event's own size and type: less
than GROWTH_FACTOR times its bytes and GROWTH_BYTES for what the fold keeps of it; its bytes once
more for each timer that it may set; what the rules' windows and waits take (RuleSet.room); and
ACTION_BYTES for each rule that fires. What of the rules' grows by more than that at once is bounded
as a whole (RuleSet.reserve).
"""

from schemas.record import MAX_RECORD_BYTES, Record
from streams.effects import OversizeError
from streams.inputs import Input
from streams.rules.ruleset import RuleSet
from streams.step import Stepped

GROWTH_FACTOR = 4
GROWTH_BYTES = 2 * 1024
ACTION_BYTES = 1_024


def growth(event: Input, size: int, stepped: Stepped, rules: RuleSet) -> int:
    """More than a record grew by with an event of `size` bytes, the reserve apart; as much as there
    may be where timers were set for all its dates, since rules changed, or where a rule failed:
    nothing tells what it noted before."""
    if stepped.armed or stepped.failed:
        return MAX_RECORD_BYTES
    timers, room = rules.room(event.type)
    return (GROWTH_FACTOR + timers) * size + GROWTH_BYTES + room + ACTION_BYTES * len(stepped.fired)


def bounded(record: Record, bound: int, rules: RuleSet) -> int:
    """A record's bound, the reserve apart: the one that it has if that is small enough; else its
    exact size. Raises OversizeError where that is too large."""
    if bound + rules.reserve <= MAX_RECORD_BYTES:
        return bound
    size = len(record.encode())
    if size > MAX_RECORD_BYTES:
        raise OversizeError(f"the record would exceed {MAX_RECORD_BYTES} bytes")
    return size
