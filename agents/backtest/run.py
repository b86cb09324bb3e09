"""A backtest over an archive: split it by customer, play the shares on all cores, add up."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

from agents.backtest.archived import Archived, ArchiveError
from agents.backtest.job import Job, Player, Question
from agents.backtest.pool import processes, spare_collector
from agents.backtest.spill import Share, Spill
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
    with TemporaryDirectory(prefix="vipcare-backtest-") as folder:
        spill = Spill(Path(folder), question.core, now)
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
        with _played(job, shares, cores if spill.is_in_files else 1) as played:
            for share, made in played:
                tally.merge(made)
                done += share.size
                show("playing", done, total)
        if out is not None:
            for path in sorted(Path(folder).glob("*.effects")):
                with path.open("rb") as effects:
                    copyfileobj(effects, out)
        return Result(tally, spill.messages, question)


@contextmanager
def _played(
    job: Job, shares: Sequence[Share], cores: int
) -> Iterator[Iterator[tuple[Share, Tally]]]:
    """What each share makes, as it is done."""
    if cores == 1:
        player = Player(job)
        yield ((share, player.play(share)) for share in shares)
        return
    with processes(cores, _begin, job) as pool:
        pending = {pool.submit(_play, share): share for share in shares}
        yield ((pending[one], one.result()) for one in as_completed(pending))


_player: list[Player] = []
"""Of a process of the pool: its one."""


def _begin(job: Job) -> None:
    _player.append(Player(job))


def _play(share: Share) -> Tally:
    return _player[0].play(share)
