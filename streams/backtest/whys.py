"""Why messages were lost: how often for which reason and detail, and where the first ones stand."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.place import Place

MOST = 50
"""Details may quote what each message has of its own: so many are kept apart."""
ELSE = "something else"
_PLACES = 3
"""So many are kept of each."""

Why = tuple[str, str]
"""A reason, and more of it."""


@dataclass
class Whys:
    times: Counter[Why] = field(default_factory=Counter)
    places: dict[Why, list[Place]] = field(default_factory=dict)

    def add(self, reason: str, detail: str, places: Iterable[Place], times: int = 1) -> None:
        one = reason, detail
        if one not in self.times and len(self.times) >= MOST:
            one = reason, ELSE
        self.times[one] += times
        self.places[one] = sorted([*self.places.get(one, ()), *places], key=_order)[:_PLACES]

    def merge(self, other: "Whys") -> None:
        for (reason, detail), times in other.times.items():
            self.add(reason, detail, other.places[reason, detail], times)


def _order(place: Place) -> tuple[int, str, int]:
    """Lines of a file have their number as offset, whatever their topic is."""
    return place.offset, place.topic, place.partition
