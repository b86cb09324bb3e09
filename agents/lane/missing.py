"""Which topics the chunks of a partition wait for."""

from collections.abc import Set as AbstractSet


class Missing:
    """Topics that Kafka has more of than came in: a chunk that goes beyond what is known of one
    takes later events of the others first.

    One of which nothing waits is waited for, so long, and then left out until something of it comes
    in or nothing is left of it: a partition goes on while the leader of one topic is away.
    """

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._since: dict[str, float] = {}
        self._left_out: set[str] = set()

    def came(self, topic: str) -> None:
        """Something of it came in."""
        self._left_out.discard(topic)

    def awaited(self, behind: AbstractSet[str]) -> AbstractSet[str]:
        """Of the topics that are behind, those that a chunk may not go beyond."""
        self._left_out &= behind
        return behind - self._left_out

    def pause(self, behind: AbstractSet[str], held: AbstractSet[str], now: float) -> float:
        """Seconds that a chunk waits for those that are behind and of which nothing is held."""
        lacks = self.awaited(behind) - held
        self._since = {topic: self._since.get(topic, now) for topic in lacks}
        return max([at + self._wait_s - now for at in self._since.values()], default=0.0)

    def leave_out(self) -> list[str]:
        """Go on without those that are waited for; says which."""
        left_out = sorted(self._since)
        self._left_out.update(left_out)
        self._since = {}
        return left_out
