"""A message's coordinates in Kafka, and the text that people read and write for them."""

import re
from typing import NamedTuple


class Place(NamedTuple):
    """As text it is `TOPIC[PARTITION]@OFFSET`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


_PLACE = re.compile(r"([a-zA-Z0-9._-]{1,249})\[(\d{1,6})\]@(\d{1,19})", re.ASCII)


def parse_place(text: str) -> Place | None:
    """Coordinates from their text; None for any other text."""
    found = _PLACE.fullmatch(text)
    return Place(found[1], int(found[2]), int(found[3])) if found else None
