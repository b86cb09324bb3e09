"""A backtest over an archive: split it by customer, play the shares on all cores, add up."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from shutil import copyfileobj
from signal import SIG_IGN, SIGINT, signal
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

from agents.backtest.archived import Archived, ArchiveError
from agents.backtest.job import Job, Player, Question
from agents.backtest.spill import Spill
from streams.backtest.tally import Tally

_CONTAINERS = 200_000
"""The collector looks after so many new ones: no record holds a cycle."""
_FEW = 200_000
"""Messages that are played before a second process would have begun."""

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
    gc.set_threshold(_CONTAINERS)
    with TemporaryDirectory(prefix="vipcare-backtest-") as folder:
        messages = 0
        with Spill(Path(folder), question.core, now) as spill:
            for messages, _ in enumerate(spill.fill(archive), 1):
                if not messages % 1_000:
                    show("reading", messages, 0)
        if spill.begin is None:
            raise ArchiveError("there is no event in the archive")
        span = question.span
        span = span._replace(start=span.start or spill.begin, end=span.end or spill.end + 1)
        question = replace(question, span=span)
        tally = Tally(spill.counts)
        job = Job(question, spill.facts, spill.begin, write=out is not None)
        files, done = spill.files(), 0
        total = sum(size for _, size in files)
        with _shares(job, [path for path, _ in files], cores if total > _FEW else 1) as shares:
            for path, share in shares:
                tally.merge(share)
                done += dict(files)[path]
                show("playing", done, total)
        if out is not None:
            for path in sorted(Path(folder).glob("*.effects")):
                with path.open("rb") as effects:
                    copyfileobj(effects, out)
        return Result(tally, messages, question)


@contextmanager
def ended_early(pool: ProcessPoolExecutor) -> Iterator[None]:
    """Whatever stops it (an error, Ctrl-C), what has not begun is left, and what has is waited for:
    it writes into a folder that is about to go."""
    try:
        yield
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise


@contextmanager
def _shares(job: Job, paths: Sequence[Path], cores: int) -> Iterator[Iterator[tuple[Path, Tally]]]:
    """What each file makes, as it is done."""
    if cores == 1:
        player = Player(job)
        yield ((path, player.share(path)) for path in paths)
        return
    context = get_context("spawn")  # a fork would copy the threads' locks of Kafka's client
    with ProcessPoolExecutor(cores, context, _begin, (job,)) as pool, ended_early(pool):
        pending = {pool.submit(_share, path): path for path in paths}
        yield ((pending[one], one.result()) for one in as_completed(pending))


_player: list[Player] = []
"""Of a process of the pool: its one."""


def _begin(job: Job) -> None:
    gc.set_threshold(_CONTAINERS)
    signal(SIGINT, SIG_IGN)  # the first process ends the others
    _player.append(Player(job))


def _share(path: Path) -> Tally:
    return _player[0].share(path)
