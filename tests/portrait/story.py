"""The record of one customer to whom every example in schemas/ happened."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from agents.rules import read_rules
from config.load_attributes import read_attributes
from schemas.envelope import to_millis
from schemas.events import EVENT_TYPES
from schemas.record import Record
from streams.attributes import Attributes
from streams.chunk import apply_chunk, merge
from streams.context import Context, CoreSettings
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.partitioning import partition_of
from tests.schemas.examples import EVENT_EXAMPLES
from tests.shipped import GREETINGS

CUSTOMER = "C100042"
ZONE = ZoneInfo("Asia/Shanghai")
NOW = to_millis(datetime(2026, 3, 20, 12, tzinfo=ZONE))
TODAY = datetime(2026, 3, 20, tzinfo=ZONE).date()
PARTITIONS = 2
DECLARED = Attributes(read_attributes())


def messages() -> list[Raw]:
    """The examples as messages of the topics that they belong to."""
    partition = partition_of(CUSTOMER.encode(), PARTITIONS)
    return [
        Raw(
            EVENT_TYPES[example["type"]].topic,
            partition,
            offset,
            CUSTOMER.encode(),
            json.dumps(example | {"subject": CUSTOMER}).encode(),
        )
        for offset, example in enumerate(EVENT_EXAMPLES)
    ]


def record(raws: list[Raw] | None = None) -> Record:
    """What the core makes of messages of CUSTOMER; of all examples if none are given."""
    core = CoreSettings(PARTITIONS, time_zone=ZONE, attributes=DECLARED, greetings=GREETINGS)
    rules, _ = read_rules(core=core)
    context = Context(NOW, rules, core)
    entries = [read(raw, core) for raw in (messages() if raws is None else raws)]
    by_topic: dict[str, list[Entry]] = {}
    for entry in entries:
        by_topic.setdefault(entry.raw.topic, []).append(entry)
    outcome = apply_chunk(merge(by_topic, context), Record, context)
    assert not outcome.dead_letters, outcome.dead_letters
    return outcome.records[CUSTOMER]
