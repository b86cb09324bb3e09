"""The facts that a chunk was stepped with, made again from the global topics.

Those are compacted, but keep what was replaced for as long as the journal keeps its positions. Only
campaigns are deleted, when they are long over.
"""

from collections.abc import Mapping

from agents.reading import RangeReader
from config.wires import KafkaSettings
from schemas.events.campaign import CAMPAIGNS
from streams.facts import FactBook, Facts


class PastFacts:
    """Goes forward through the topics; going back begins anew, as a take-over may make it."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._begin()

    def at(self, offsets: Mapping[str, int]) -> Facts:
        """The facts up to these offsets. Raises ValueError if they are not there any more."""
        if any(end < self._ends.get(topic, 0) for topic, end in offsets.items()):
            self._begin()
        for topic, end in offsets.items():
            start = self._ends.get(topic, 0)
            if start == end:
                continue
            for found in self._reader.take(topic, start, end):
                self._book.take(found.raw())
            if topic == CAMPAIGNS:
                self._book.skip(topic, end)
            self._ends[topic] = end
        facts = self._book.snapshot()
        if dict(facts.offsets) != dict(offsets):
            raise ValueError(
                f"the facts up to {dict(offsets)} cannot be made again: they end at "
                f"{dict(facts.offsets)}. Was the topic compacted before its time, or made anew?"
            )
        return facts

    def read_on(self) -> None:
        """What was written since counts too."""
        self._reader = RangeReader(self._kafka, 0)

    def _begin(self) -> None:
        self._book = FactBook()
        self._ends: dict[str, int] = {}
        self.read_on()
