"""Why messages were lost: how often for which reason and detail."""

from collections import Counter

MOST = 50
"""Details may quote what each message has of its own: so many are kept apart."""
ELSE = "something else"


class Whys(Counter[tuple[str, str]]):
    """(reason, detail) → how often."""

    def add(self, reason: str, detail: str, count: int = 1) -> None:
        one = reason, detail
        self[one if one in self or len(self) < MOST else (reason, ELSE)] += count

    def merge(self, other: "Whys") -> None:
        for (reason, detail), count in other.items():
            self.add(reason, detail, count)
