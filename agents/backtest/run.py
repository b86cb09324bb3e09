"""A backtest over an archive: split it by customer, play the shares on all cores, add up."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from shutil import copyfileobj
from typing import IO, NamedTuple

from agents.backtest.archived import Archived, ArchiveError
from agents.backtest.begins import Begin
from agents.backtest.job import Job, Player, Question
from agents.backtest.pool import each, spare_collector
from agents.backtest.spill import Share, Spill
from agents.clock_check import AS_THE_WORKERS
from agents.own_folder import own_folder
from streams.backtest.tally import Span, Tally

Show = Callable[[str, int, int], None]
"""Is told what is done, how much of it, and of how much (0: nobody knows)."""


class Result(NamedTuple):
    tally: Tally
    messages: int
    question: Question
    """As it was asked, over what the archive has of the span."""
    archive: Span
    """From the first event up to the last, or up to when it is known to go."""
    asked: Span
    """As it was asked: 0 is an end that nobody named."""
    missing: Mapping[str, int] = {}
    """Topic → how much of what a journal names is gone, see agents.backtest.missing."""
    begins: Mapping[str, Begin] = {}
    """Of topics out of which Kafka has removed something."""


def run(
    archive: Iterable[Archived],
    question: Question,
    now: int,
    cores: int,
    show: Show,
    out: IO[bytes] | None = None,
    *,
    is_live: bool = False,
) -> Result:
    """Play an archive. A span without an end (0) goes up to the archive's last event, likewise
    without a start from its first; of any other only what the archive's days have.

    `now` is the bank's time (epoch milliseconds), up to which a live archive goes. `out` takes
    every effect as a line of JSON, in the order of shares and customers. Raises ArchiveError.
    """
    spare_collector()
    with own_folder() as folder:
        spill = Spill(folder, question.core, now)
        for _ in spill.fill(archive):
            show("reading", spill.messages, 0)
        if spill.begin is None:
            raise ArchiveError("there is no event in the archive")
        if is_live and spill.begin > now:
            raise ArchiveError(f"the clock here is behind all that happened. {AS_THE_WORKERS}")
        asked = question.span
        whole = asked._replace(start=spill.begin, end=(now if is_live else spill.end) + 1)
        span = covered(asked, whole)
        if is_live:  # what is not there by now did not happen
            span = span.within(whole._replace(start=0))
        question = replace(question, span=span)
        tally = Tally(spill.counts, spill.whys)
        job = Job(question, spill.facts, spill.begin, write=out is not None)
        shares, done = spill.shares(), 0
        total = sum(share.size for share in shares)
        cores = cores if spill.is_in_files else 1
        with closing(each(shares, cores, _player, job)) as played:
            for share, made in played:
                tally.merge(made)
                done += share.size
                show("playing", done, total)
        if out is not None:
            for path in sorted(folder.glob("*.effects")):
                with path.open("rb") as effects:
                    copyfileobj(effects, out)
        return Result(tally, spill.messages, question, whole, asked)


def covered(asked: Span, archive: Span) -> Span:
    """What an archive's days have of a span. Raises ArchiveError if that is nothing."""
    span = asked._replace(start=asked.start or archive.start, end=asked.end or archive.end)
    span = span.within(archive.whole_days())
    if span.start >= span.end:
        raise ArchiveError(
            f"the archive goes from {archive.day(archive.start)} to {archive.day(archive.end - 1)}:"
            " it has nothing of the days that are asked about"
        )
    return span


def _player(job: Job) -> Callable[[Share], Tally]:
    return Player(job).play
