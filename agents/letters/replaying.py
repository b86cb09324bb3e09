"""Replaying dead letters: their events go to `vip.internal` as they are, under the same ids.

A letter is replayed once. `vip.internal` itself is the book of what was replayed: a replayed event
names its letter in a header, and is kept as long as letters are. The worker's own look for
duplicates is behind that, for two who replay at the same time.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from agents.clock import BankClock
from agents.core import core_settings
from agents.letters.finding import Choice, Kept, find
from agents.reading import read_topic
from agents.sending import Sending
from config.settings import Settings
from config.wires import KafkaSettings
from schemas.dead_letters import (
    FIRST_HEADER,
    LETTER_HEADER,
    MAX_VALUE_BYTES,
    DeadLetter,
    Reason,
    replayed_from,
)
from schemas.events import INTERNAL
from schemas.place import Place
from streams.context import CoreSettings
from streams.inputs import Raw
from streams.intake import read
from streams.partitioning import partition_of

TOLD = 20
"""Obstacles that are told, each once."""
NAMED = 5
"""Letters that are named for each."""


class Why(StrEnum):
    """Why a letter is not replayed."""

    REPLAYED = "replayed already"
    APPLIED = "applied already, only ClickHouse refused its row"
    CUT = "cut"
    NOBODY = "of no customer"
    CONFLICT = "in conflict"
    AGAIN = "would be refused again"


class Obstacle(NamedTuple):
    why: Why
    detail: str
    """One line: what, and what to do."""


def replayed_letters(kafka: KafkaSettings) -> dict[Place, Place]:
    """Letter → where its event stands in `vip.internal`, the last if it was replayed more often.

    Raises ReadingError.
    """
    found = {}
    for message in read_topic(kafka, INTERNAL):
        letter = replayed_from(message.headers, LETTER_HEADER)
        if letter is not None:
            found[letter] = message.place
    return found


@dataclass(frozen=True, slots=True)
class Judge:
    """Says which letters can be replayed now."""

    replayed: dict[Place, Place]
    core: CoreSettings
    clock: BankClock
    again: bool = False
    """Those that were replayed before, too, and those that conflict with an applied event."""

    @classmethod
    def of(cls, settings: Settings, *, again: bool = False) -> "Judge":
        """Raises ReadingError."""
        replayed = replayed_letters(settings.kafka)
        clock = BankClock.from_settings(settings.clock)
        return cls(replayed, core_settings(settings), clock, again)

    def obstacle(self, kept: Kept) -> Obstacle | None:
        letter = kept.letter
        if not self.again and kept.at in self.replayed:
            return Obstacle(Why.REPLAYED, "`show` says where; --again replays it once more")
        if letter.reason is Reason.CONFLICT and not self.again:
            detail = (
                "another event of its source and id was applied; mend the id and send it, "
                "or once that one is forgotten (step.duplicates_*) replay this with --again"
            )
            return Obstacle(Why.CONFLICT, detail)
        if letter.reason is Reason.REFUSED:
            detail = (
                "see `vipcare sink rebuild --help`; the event counted once, and would not again"
            )
            return Obstacle(Why.APPLIED, detail)
        if letter.is_cut:
            detail = f"only {MAX_VALUE_BYTES:,} bytes were kept; send the original again"
            return Obstacle(Why.CUT, detail)
        if not kept.customer:
            detail = "neither its subject nor its key is a customer's id; mend it and send it again"
            return Obstacle(Why.NOBODY, detail)
        problem = self._problem(kept)
        return Obstacle(Why.AGAIN, problem) if problem else None

    def _problem(self, kept: Kept) -> str:
        """What can be seen without the customer's record; the rest is the worker's to say."""
        key = kept.customer.encode()
        raw = Raw(INTERNAL, partition_of(key, self.core.partitions), 0, key, kept.letter.value)
        entry = read(raw, self.core)
        if entry.problem is not None:
            return entry.problem.detail
        if entry.input is None:
            return f"type {entry.unknown} is unknown, it would be skipped"
        if entry.input.at > self.clock.now() + self.core.future_tolerance:
            return "its time has not come"
        return ""


@dataclass(slots=True)
class Hindered:
    """Letters that one obstacle keeps from being replayed."""

    count: int = 0
    first: list[Place] = field(default_factory=list)
    """Originals of the first few."""

    def add(self, place: Place) -> None:
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append(place)


@dataclass(slots=True)
class Plan:
    """What a replay would do."""

    ready: set[Place] = field(default_factory=set)
    """Letters that can be replayed."""
    left_out: Counter[Why] = field(default_factory=Counter)
    told: dict[Obstacle, Hindered] = field(default_factory=dict)
    """By the first obstacles that there are."""
    missing: set[Place] = field(default_factory=set)
    """Places that were asked for and name no letter."""

    @property
    def hindered(self) -> bool:
        """Something that was meant cannot be replayed, and was not before."""
        return bool(self.missing) or self.left_out.total() > self.left_out[Why.REPLAYED]


def plan(settings: Settings, choice: Choice, judge: Judge, stray: Callable[[str], None]) -> Plan:
    """Judge every letter that is meant. Raises ReadingError."""
    made = Plan(missing=set(choice.places or ()))
    for kept in find(settings.kafka, choice, stray):
        made.missing -= {kept.at, kept.letter.place}
        obstacle = judge.obstacle(kept)
        if obstacle is None:
            made.ready.add(kept.at)
            continue
        made.left_out[obstacle.why] += 1
        if obstacle in made.told or len(made.told) < TOLD:
            made.told.setdefault(obstacle, Hindered()).add(kept.letter.place)
    return made


def replay(settings: Settings, choice: Choice, chosen: Container[Place]) -> Iterator[Kept]:
    """Send the events of the chosen letters, those of a customer in the order in which they were
    refused; yields each as it is handed over. All are acknowledged when it ends.

    `choice` is what the letters were chosen by. Raises ReadingError and SendingError; what was sent
    until then is found as replayed the next time.
    """
    with Sending(settings.kafka, {INTERNAL}, "operator") as sending:
        for kept in find(settings.kafka, choice):
            if kept.at in chosen:
                key, value = kept.customer.encode(), kept.letter.value
                sending.send(INTERNAL, key, value, _headers(kept.at, kept.letter))
                yield kept


def _headers(at: Place, letter: DeadLetter) -> list[tuple[str, bytes]]:
    first = letter.first or str(letter.place)
    return [(FIRST_HEADER, first.encode()), (LETTER_HEADER, str(at).encode())]
