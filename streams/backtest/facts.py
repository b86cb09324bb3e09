"""Reference data and organisation as they were at any time of an archive."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from streams.facts import NO_FACTS, FactBook, Facts
from streams.inputs import Raw

_EVER = 2**62
_RATE = b"exchange_rate:"


class FactsInTime:
    """A snapshot for each time at which something was told.

    Of an exchange rate the first value that is known holds before it as well: an archive may begin
    after the rate was told, and amounts have to be reckoned.
    """

    def __init__(self, told: Iterable[tuple[int, Raw]]) -> None:
        """`told`: messages of the global topics with the times from which they hold (epoch
        milliseconds), in the order in which they were sent."""
        ordered = sorted(told, key=itemgetter(0))
        book = FactBook()
        for raw in {raw.key: raw for _, raw in reversed(ordered)}.values():
            if (raw.key or b"").startswith(_RATE):
                book.take(raw)
        self._times: list[int] = []
        self.held = [book.snapshot() if ordered else NO_FACTS]
        """What held before the first time, then from each time on."""
        for at, several in groupby(ordered, key=itemgetter(0)):
            for _, raw in several:
                book.take(raw)
            self._times.append(at)
            self.held.append(book.snapshot())
        self.until = [*self._times, _EVER]
        """When something is told next, of each; the end of time of the last."""

    def announced(self) -> set[tuple[int, str]]:
        """When what was announced was to be told, with its name."""
        return {(one.at, name) for held in self.held for name, one in held.announced.items()}

    def place(self, time: int) -> int:
        """Of what held at a time; what was told at that very millisecond counts."""
        return bisect_right(self._times, time)

    def at(self, time: int) -> Facts:
        return self.held[self.place(time)]
