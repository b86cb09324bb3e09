"""How far the inputs were fetched and handed over, and when a fetch reached their ends."""

from collections.abc import Mapping, Sequence
from typing import Any

from faust.types import TP


class Fetches:
    """Of the present assignment."""

    def __init__(self) -> None:
        self._handed: dict[TP, int] = {}
        self._reached: dict[TP, int] = {}

    def note(self, fetched: Mapping[TP, Sequence[Any]], reached: Mapping[TP, int]) -> None:
        """Take note of a fetch before it is handed over.

        `reached` has the partitions with nothing left after it, and when Kafka said so (real
        time, epoch milliseconds).
        """
        for tp, records in fetched.items():
            if records:
                self._handed[tp] = records[-1].offset + 1
        self._reached.update(reached)

    def caught_up(self, tp: TP, taken: int) -> int | None:
        """When a fetch last reached the end, if all up to there was `taken` (the next offset).

        What was handed over is not taken yet: it waits in Faust's queues.
        """
        return self._reached.get(tp) if self.handed(tp) <= taken else None

    def handed(self, tp: TP) -> int:
        """Where what was handed over ends; 0 if nothing was. May be called from any thread."""
        return self._handed.get(tp, 0)

    def clear(self) -> None:
        """The partitions are sought anew."""
        self._handed.clear()
        self._reached.clear()
