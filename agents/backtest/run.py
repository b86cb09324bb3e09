"""A backtest over an archive: split it by customer, play the shares on all cores, add up."""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from shutil import copyfileobj
from typing import IO, NamedTuple

from agents.backtest.archived import Archived, ArchiveError
from agents.backtest.job import Job, Player, Question
from agents.backtest.pool import each, spare_collector
from agents.backtest.spill import Share, Spill
from agents.own_folder import own_folder
from streams.backtest.tally import Tally

Show = Callable[[str, int, int], None]
"""Is told what is done, how much of it, and of how much (0: nobody knows)."""


class Result(NamedTuple):
    tally: Tally
    messages: int
    question: Question
    """As it was asked, with the time from which and up to which the archive goes."""


def run(
    archive: Iterable[Archived],
    question: Question,
    now: int,
    cores: int,
    show: Show,
    out: IO[bytes] | None = None,
) -> Result:
    """Play an archive. A span without an end (0) goes up to the archive's last event, likewise
    without a start from its first.

    `now` is the bank's time (epoch milliseconds), `out` takes every effect as a line of JSON, in
    the order of shares and customers. Raises ArchiveError.
    """
    spare_collector()
    with own_folder() as folder:
        spill = Spill(folder, question.core, now)
        for _ in spill.fill(archive):
            show("reading", spill.messages, 0)
        if spill.begin is None:
            raise ArchiveError("there is no event in the archive")
        span = question.span
        span = span._replace(start=span.start or spill.begin, end=span.end or spill.end + 1)
        question = replace(question, span=span)
        tally = Tally(spill.counts)
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
        return Result(tally, spill.messages, question)


def _player(job: Job) -> Callable[[Share], Tally]:
    return Player(job).play
