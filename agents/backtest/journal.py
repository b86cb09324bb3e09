"""A backtest along the journal: chunks, clock, timers and facts exactly as the live run had them.

Each partition is one share. A chunk's order and what counted as late are the live run's. The rules
are not: those that are asked about are played over all chunks, whatever was in force at each. So
the run's effects are made again where its rules were the same all the time and are those that are
asked about, and where the journal and the inputs are there whole: what is missing is counted.
A run may take old events, so its effects may be of times long before its clock's: where nothing is
said, all of them count.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import copyfileobj
from typing import IO

from agents.backtest.archived import ArchiveError
from agents.backtest.begins import begins
from agents.backtest.job import Question
from agents.backtest.missing import Journalled, journalled, missing
from agents.backtest.pool import processes
from agents.backtest.run import Result, Show, covered
from agents.own_folder import own_folder
from agents.reading import RangeReader, ReadingError, partitions_of, read_partition
from agents.reconciliation.past_facts import PastFacts
from config.settings import Settings
from schemas.effects import Profile, encode_effect
from schemas.envelope import to_millis
from schemas.place import Place
from schemas.position import JOURNAL_TOPIC, Position, decode_position
from schemas.rules import RuleDefinition
from streams.backtest.firings import Fired, firings, outcomes
from streams.backtest.tally import Tally
from streams.backtest.whys import Whys
from streams.context import Context
from streams.inputs import Raw
from streams.intake import read
from streams.replay import follow

_FEEDBACK = "crm.feedback"
_ENDLESS = 2**63


def run_journal(
    settings: Settings, question: Question, cores: int, show: Show, out: IO[bytes] | None = None
) -> Result:
    """Play every partition along its journal. `out` takes every effect as a line of JSON, partition
    by partition, in the order in which the live run would have sent them. Raises ArchiveError.
    """
    try:
        journals = _overview(settings)
    except ReadingError as error:
        raise ArchiveError(str(error)) from error
    held = [one for one in journals if one.messages]
    if not held:
        raise ArchiveError("the journal is empty: no worker has stepped an event yet")
    asked = question.span
    question = replace(question, span=asked._replace(end=asked.end or _ENDLESS))
    messages = {one.partition: one.messages for one in held}
    tally, total, done, times = Tally(), sum(messages.values()), 0, list[int]()
    with own_folder() as folder, processes(min(cores, len(held))) as pool:
        paths = {one: folder / str(one) for one in messages if out is not None}
        work = {
            pool.submit(_partition, settings, question, one, paths.get(one)): size
            for one, size in messages.items()
        }
        for future in as_completed(work):
            share = future.result()
            if share.problem:
                raise ArchiveError(share.problem)
            tally.merge(share.tally)
            times += share.times
            done += work[future]
            show("playing", done, total)
        if out is not None:
            for path in paths.values():
                with path.open("rb") as effects:
                    copyfileobj(effects, out)
    times = times or [max(one.clock for one in held)]
    archive = asked._replace(start=min(times), end=max(times) + 1)
    told = replace(question, span=covered(asked, archive))
    try:  # only now, as Kafka may have gone on removing
        gone = missing(settings.kafka, journals)
        since = begins(settings, archive.end, journals)
    except ReadingError as error:
        raise ArchiveError(str(error)) from error
    return Result(tally, total, told, archive, asked, gone, since)


def _overview(settings: Settings) -> list[Journalled]:
    partitions = range(partitions_of(settings.kafka, JOURNAL_TOPIC))
    told = (_positions(settings, partition) for partition in partitions)
    return [journalled(positions) for positions in told if positions]


def _positions(settings: Settings, partition: int) -> list[Position]:
    found = read_partition(settings.kafka, JOURNAL_TOPIC, partition)
    return [decode_position(one.value or b"") for one in found]


@dataclass
class _Share:
    tally: Tally = field(default_factory=Tally)
    times: Sequence[int] = ()
    """The first and the last that the partition went through, epoch milliseconds."""
    problem: str = ""


def _partition(settings: Settings, question: Question, partition: int, path: Path | None) -> _Share:
    """Effects are written to the path, if there is one: they may be more than memory has."""
    try:
        along = _Along(settings, question, partition)
        share = _Share()
        with path.open("wb") if path else nullcontext() as out:
            fired = along.play(question.rules, out)
        share.tally.counts.update(along.counts)
        share.tally.whys.merge(along.whys)
        share.times = along.times
        live = along.play(question.live) if question.live else {}
        for customer in sorted(fired.keys() | live.keys()):
            mine = fired.get(customer, [])
            share.tally.add(mine, question.span, along.told)
            if question.live:
                share.tally.compare(mine, live.get(customer, []))
    except (ReadingError, ValueError) as error:
        return _Share(problem=str(error))
    return share


class _Along:
    """One partition, along its journal."""

    def __init__(self, settings: Settings, question: Question, partition: int) -> None:
        self._settings = settings
        self._question = question
        self._partition = partition
        self.counts: Counter[str] = Counter()
        self.whys = Whys()
        self.told: dict[str, str] = {}
        """What the CRM reported of tasks."""
        self.times: Sequence[int] = ()
        """The first and the last that it went through; none if it saw no event."""

    def play(
        self, rules: Sequence[RuleDefinition], out: IO[bytes] | None = None
    ) -> dict[str, list[Fired]]:
        """Customer → firings within the span."""
        kafka, asked = self._settings.kafka, self._question
        reader, facts = RangeReader(kafka, self._partition), PastFacts(kafka)
        compiled, span = asked.core.compiled(rules), asked.span

        def context_of(position: Position) -> Context:
            told, time = facts.at(position.facts), position.partition_time
            return Context(position.now, compiled, asked.core, time, told, summaries=False)

        def read_range(topic: str, _: int, start: int, end: int) -> Sequence[Raw]:
            raws = [found.raw() for found in reader.take(topic, start, end)]
            if topic == _FEEDBACK:
                self.told.update(outcomes(read(raw, asked.core) for raw in raws))
            return raws

        found: dict[str, list[Fired]] = {}
        self.counts, self.whys = Counter(), Whys()
        for made in follow(_positions(self._settings, self._partition), read_range, context_of):
            self.counts.update(made.outcome.counts)
            for letter in made.outcome.dead_letters:
                place = Place(letter.topic, letter.partition, letter.offset)
                self.whys.add(letter.reason, letter.detail, [place])
            self._pass(made.position.partition_time)
            effects = [
                one
                for one in made.outcome.effects
                if not isinstance(one, Profile) and span.start <= to_millis(one.time) < span.end
            ]
            for one in effects:
                self._pass(to_millis(one.time))
            if out is not None:
                out.writelines(encode_effect(one) + b"\n" for one in effects)
            for fired in firings(effects):
                found.setdefault(fired.customer, []).append(fired)
        return found

    def _pass(self, at: int) -> None:
        if at >= 0:
            self.times = min((at, *self.times)), max((at, *self.times))
