"""What a process of a backtest needs to know, and what it makes of one share of the customers."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import IO

from agents.backtest.archived import Archived
from agents.backtest.spill import Share
from schemas.effects import Effect, encode_effect
from schemas.envelope import to_millis
from schemas.rules import RuleDefinition
from streams.backtest.facts import FactsInTime
from streams.backtest.firings import Fired, Firings, outcomes
from streams.backtest.late import Late
from streams.backtest.play import Trial, in_order, play
from streams.backtest.tally import Span, Tally
from streams.context import CoreSettings
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.partitioning import partition_of

MANY = 10_000
"""Messages of a customer that are decoded all at once: more take too much memory so."""


@dataclass(frozen=True)
class Question:
    """Which rules are tried, and beside which that are live; over what time."""

    rules: Sequence[RuleDefinition]
    live: Sequence[RuleDefinition]
    core: CoreSettings
    span: Span


@dataclass(frozen=True)
class Job:
    question: Question
    facts: Sequence[tuple[int, Raw]]
    since: int
    """The archive goes back to here, epoch milliseconds."""
    write: bool = False
    """Whether effects are written, beside each share's file, as `.effects`."""


class Player:
    """A job with its rules compiled: what a process has for itself."""

    def __init__(self, job: Job) -> None:
        asked = job.question
        facts = FactsInTime(job.facts)
        self._job = job
        self._tried, self._live = (
            Trial(asked.core.compiled(rules), asked.core, facts, asked.span.end - 1, job.since)
            for rules in (asked.rules, asked.live)
        )

    def play(self, share: Share) -> Tally:
        """Play a share's customers."""
        tally = Tally()
        path = share.path.with_suffix(".effects")
        with path.open("wb") if self._job.write else nullcontext() as out:
            for key, archived in share.take():
                self._customer(key, archived, tally, out)
        return tally

    def _customer(
        self, key: bytes, archived: Sequence[Archived], tally: Tally, out: IO[bytes] | None
    ) -> None:
        asked = self._job.question
        customer, span = key.decode(errors="replace"), asked.span
        entries = _entries(key, archived, asked.core)
        told = _Told(span, out)
        played = play(customer, entries, self._tried, told)
        tally.counts.update(played.counts)
        tally.whys.merge(played.whys)
        if fired := told.fired():
            tally.add(fired, span, outcomes(entries))
        if asked.live:
            beside = _Told(span)
            play(customer, entries, self._live, beside)
            tally.compare(fired, beside.fired())


def _entries(key: bytes, archived: Sequence[Archived], core: CoreSettings) -> Sequence[Entry]:
    """In the order of their times."""
    partition = partition_of(key, core.partitions)

    def decode(one: Archived) -> Entry:
        return read(one.raw(partition), core)

    if len(archived) <= MANY:
        return in_order([decode(one) for one in archived])
    return Late(archived, decode)


class _Told:
    """What comes of the effects of one customer that are within a span."""

    def __init__(self, span: Span, out: IO[bytes] | None = None) -> None:
        self._span = span
        self._out = out
        self._begin = out.tell() if out is not None else 0
        self._firings = Firings()

    def extend(self, effects: Iterable[Effect]) -> None:
        self._firings.extend(effects)
        if self._out is not None:
            span = self._span
            within = (one for one in effects if span.start <= to_millis(one.time) < span.end)
            self._out.writelines(encode_effect(one) + b"\n" for one in within)

    def fired(self) -> list[Fired]:
        span = self._span
        return [one for one in self._firings.all() if span.start <= one.at < span.end]

    def clear(self) -> None:
        self._firings.clear()
        if self._out is not None:
            self._out.seek(self._begin)
            self._out.truncate()
