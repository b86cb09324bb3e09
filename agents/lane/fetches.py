"""How far the inputs were fetched and handed over, and when a fetch reached their ends."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from faust.types import TP


class FetchState(NamedTuple):
    """How the fetch of a partition stands. Offsets; None where it is unknown."""

    place: int | None = None
    """The next offset to be fetched: past markers and aborted records, unlike a record's."""
    end: int | None = None
    """Where the partition ended for this worker at its last answer."""
    answer: int | None = None
    """When a fetch was last answered, real milliseconds."""

    @property
    def more(self) -> bool:
        """Whether Kafka has more; true if unknown."""
        return self.place is None or self.end is None or self.place < self.end


class Fetches:
    """Of the present assignment."""

    def __init__(self) -> None:
        self._handed: dict[TP, int] = {}
        self._places: dict[TP, int | None] = {}
        self._reached: dict[TP, int] = {}

    def note(self, fetched: Mapping[TP, Sequence[Any]], seen: Mapping[TP, FetchState]) -> None:
        """Take note of a fetch before it is handed over, and of how partitions stood after it."""
        for tp, records in fetched.items():
            if records:
                self._handed[tp] = records[-1].offset + 1
        for tp, state in seen.items():
            self._places[tp] = state.place
            if not state.more and state.answer is not None:
                self._reached[tp] = state.answer

    def behind(self, tp: TP, taken: int, state: FetchState) -> bool:
        """Whether there is more of a partition than was taken, as its fetch stands now; true if
        unknown. A place that no fetch has told yet passed what is on its way from the consumer's
        thread, and what was handed over waits in Faust's queues."""
        return state.more or state.place != self._places.get(tp) or self.handed(tp) > taken

    def caught_up(self, tp: TP, taken: int) -> int | None:
        """When a fetch last reached the end, if all up to there was `taken` (the next offset):
        real time, epoch milliseconds.

        What was handed over is not taken yet: it waits in Faust's queues.
        """
        return self._reached.get(tp) if self.handed(tp) <= taken else None

    def handed(self, tp: TP) -> int:
        """Where what was handed over ends; 0 if nothing was. May be called from any thread."""
        return self._handed.get(tp, 0)

    def clear(self) -> None:
        """The partitions are sought anew."""
        self._handed.clear()
        self._places.clear()
        self._reached.clear()
