"""The workloads of the bank for a peer: our step on a record, bytes in and bytes out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from schemas.attributes import AttributeDefinition
from schemas.calendars import CalendarDefinition
from schemas.effects import EFFECT_TOPICS, TOPIC_OF
from schemas.greetings import Greeting
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.attributes import Attributes
from streams.calendar import Calendar
from streams.chunk import Outcome, apply_chunk
from streams.context import Context, CoreSettings
from streams.facts import FactBook, Facts
from streams.greetings import Greetings
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.reach import Reach
from streams.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from tests.bench.peers.task import Task

Sent = tuple[str, bytes | None, bytes]
"""Topic, key and value of an effect or a dead letter."""

OUTPUTS = (*EFFECT_TOPICS, "vip.dead-letters")


class Care:
    """The rules compiled once, and what a step needs besides."""

    def __init__(self, task: Task) -> None:
        written = msgspec.json.decode(Path(task.rules).read_bytes())
        rules = [RuleDefinition.model_validate(one) for one in written["rules"]]
        self.settings = CoreSettings(
            partitions=task.partitions,
            time_zone=ZoneInfo(written["time_zone"]),
            attributes=Attributes(map(AttributeDefinition.model_validate, written["attributes"])),
            calendar=Calendar(CalendarDefinition.model_validate(written["calendar"])),
            greetings=Greetings(map(Greeting.model_validate, written["greetings"])),
        )
        compiled = self.settings.compiled(rules)
        self.context = Context(
            now=time.time_ns() // 1_000_000,
            rules=compiled,
            settings=self.settings,
            facts=_facts(written["facts"]),
            reach=since_the_first_chunk(compiled),
        )

    def one(self, raw: Raw, stored: bytes | None) -> tuple[bytes | None, list[Sent]]:
        """Step one message on a record's bytes: its new bytes (None: unchanged), and effects."""

        def load(customer: str) -> Record:
            return Record(customer, stored)

        outcome = apply_chunk([read(raw, self.settings)], load, self.context)
        changed = next(iter(outcome.records.values()), None)
        return None if changed is None else changed.stored, list(sent(outcome))

    def many(self, raws: Sequence[Raw], load: Callable[[str], Record]) -> Outcome:
        """Step a batch on live records, each encoded once at its end."""
        entries: list[Entry] = [read(raw, self.settings) for raw in raws]
        return apply_chunk(entries, load, self.context)


def since_the_first_chunk(rules: RuleSet) -> Reach:
    """How far windows reach in a worker that began with its inputs: in records that were made with
    another reach they would begin anew."""
    return Reach({}).advance(rules.asked, time=0, number=1, edge=0)


def _facts(told: Sequence[tuple[str, str, str]]) -> Facts:
    book = FactBook()
    for topic, key, value in told:
        book.take(Raw(topic, 0, 0, key.encode(), value.encode()))
    return book.snapshot()


def sent(outcome: Outcome) -> Iterator[Sent]:
    """What a chunk sends besides its records."""
    for effect, value in zip(outcome.effects, outcome.encoded, strict=True):
        yield TOPIC_OF[type(effect)], effect.subject.encode(), value
    for letter in outcome.dead_letters:
        yield "vip.dead-letters", letter.key, letter.value or b""
