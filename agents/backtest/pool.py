"""Processes that make something of the shares of an archive."""

import gc
import pickle
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path
from signal import SIG_IGN, SIGHUP, SIGINT, signal
from typing import Any, TypeVar

from agents.backtest.archived import ArchiveError
from agents.local.lifeline import follow
from agents.own_folder import own_folder

_CONTAINERS = 200_000

Job = TypeVar("Job")
Share = TypeVar("Share")
T = TypeVar("T")


def spare_collector() -> None:
    """The collector looks after so many new containers: no record holds a cycle."""
    gc.set_threshold(_CONTAINERS)


@contextmanager
def processes(
    cores: int, prepare: Callable[..., object] | None = None, *what: object
) -> Iterator[ProcessPoolExecutor]:
    """So many, each prepared with `what` first. Raises ArchiveError if one is ended from outside.

    Whatever stops the block (an error, Ctrl-C), what has not begun is left, and what has is waited
    for: it writes into a folder that is about to go.
    """
    context = get_context("spawn")  # a fork would copy the threads' locks of Kafka's client
    with own_folder() as folder:
        # By a file: more than a pipe holds, and who starts a process would wait for ever that one
        # reads it which was ended before.
        prepared = folder / "prepared"
        prepared.write_bytes(pickle.dumps((prepare, what)))
        with ProcessPoolExecutor(cores, context, _begin, (prepared,)) as pool:
            try:
                yield pool
            except BrokenProcessPool:
                raise ArchiveError(
                    "a process with a share of the customers was ended from outside, as happens "
                    "when memory runs out: try fewer --cores"
                ) from None
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def each(
    shares: Sequence[Share], cores: int, make: Callable[[Job], Callable[[Share], T]], job: Job
) -> Generator[tuple[Share, T]]:
    """What is made of each share, as it is done, by what every process makes of the job first. It
    is to be closed, as whatever stops it stops the processes. Raises ArchiveError."""
    if cores == 1:
        work = make(job)
        for share in shares:
            yield share, work(share)
        return
    with processes(cores, _prepare, make, job) as pool:
        pending = {pool.submit(_work, share): share for share in shares}
        for one in as_completed(pending):
            yield pending[one], one.result()


_own: list[Callable[[Any], Any]] = []
"""Of a process of the pool: its one."""


def _prepare(make: Callable[[Job], Callable[[Share], T]], job: Job) -> None:
    _own.append(make(job))


def _work(share: Any) -> Any:
    return _own[0](share)


def _begin(prepared: Path) -> None:
    first = parent_process()
    assert first is not None, "this runs in a process of the pool"
    follow(first.pid or 0)  # which may be killed
    spare_collector()
    for number in (SIGINT, SIGHUP):  # the first process ends the others
        signal(number, SIG_IGN)
    prepare, what = pickle.loads(prepared.read_bytes())  # noqa: S301  # written by the first process
    if prepare is not None:
        prepare(*what)
