"""What a process of a backtest needs to know, and what it makes of one share of the customers."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.backtest.archived import Archived
from agents.backtest.spill import Share
from schemas.effects import encode_effect
from schemas.envelope import to_millis
from schemas.rules import RuleDefinition
from streams.backtest.facts import FactsInTime
from streams.backtest.firings import firings, outcomes
from streams.backtest.play import Trial, in_order, play
from streams.backtest.tally import Span, Tally
from streams.context import CoreSettings
from streams.inputs import Raw
from streams.intake import read
from streams.partitioning import partition_of


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
        tally, written = Tally(), list[bytes]()
        for key, archived in share.take():
            self._customer(key, archived, tally, written)
        if self._job.write:
            share.path.with_suffix(".effects").write_bytes(b"".join(written))
        return tally

    def _customer(
        self, key: bytes, archived: Sequence[Archived], tally: Tally, written: list[bytes]
    ) -> None:
        asked = self._job.question
        core, span, customer = asked.core, asked.span, key.decode(errors="replace")
        partition = partition_of(key, core.partitions)
        entries = in_order([read(one.raw(partition), core) for one in archived])
        played = play(customer, entries, self._tried)
        tally.counts.update(played.counts)
        tally.whys.merge(played.whys)
        fired = [one for one in firings(played.effects) if span.start <= one.at < span.end]
        if fired:
            tally.add(fired, span, outcomes(entries))
        if asked.live:
            beside = firings(play(customer, entries, self._live).effects)
            tally.compare(fired, [one for one in beside if span.start <= one.at < span.end])
        if self._job.write:
            written += [
                encode_effect(effect) + b"\n"
                for effect in played.effects
                if span.start <= to_millis(effect.time) < span.end
            ]
