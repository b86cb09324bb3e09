"""How a language puts a rule's parts together. `{0}`, `{1}`, … are the parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Pair = tuple[str, str]


@dataclass(frozen=True)
class Phrases:
    """Of one language."""

    place: int
    """Which of a pair of words is this language's: 0 English, 1 Chinese."""
    subject: str
    """How an event begins that the customer makes: it is said once of several."""
    ordinal: Callable[[int], str]
    """As in the 18th birthday."""
    often: tuple[str, str, str]
    """Once, twice, and more often than that."""
    say: dict[str, str]
    dates: dict[str, str]
    """What a rule waits for."""
    compared: dict[str, str]
    days: dict[str, str]
    """Comparisons of days, where they are said in other words."""
    aggregates: dict[str, str]
    """`{value}`, `{events}`, `{span}`, `{where}`."""
    lists: dict[str, str]
    """What is made of a list: `{value}`, `{things}`, `{where}`."""
    calls: dict[str, str]
    """Reference data by the function that asks for it: which one is meant by the id `{0}`."""
    units: dict[str, Pair]
    """Letter of a duration, or another unit → one, and several."""
    besides: dict[str, str]
    """When a rule is looked at beside the events and the dates that it names."""
    gates: dict[str, str]
    actions: dict[str, str]

    def quantity(self, number: int, unit: str) -> str:
        one, several = self.units[unit]
        gap = "" if self.place else " "
        return f"{number}{gap}{one if number == 1 else several}"

    def times(self, number: int) -> str:
        return self.often[min(number, len(self.often)) - 1].format(number)

    def listed(self, several: Sequence[str], last: str = "and") -> str:
        """One after the other, and before the last of them `and` or `or`."""
        *others, end = several
        rest = [self.say["list"].join(others)] if others else []
        return self.say[f"list_{last}"].join([*rest, end])
