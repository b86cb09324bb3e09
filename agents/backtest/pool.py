"""Processes that make something of the shares of an archive."""

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from signal import SIG_IGN, SIGINT, signal

_CONTAINERS = 200_000


def spare_collector() -> None:
    """The collector looks after so many new containers: no record holds a cycle."""
    gc.set_threshold(_CONTAINERS)


@contextmanager
def processes(
    cores: int, prepare: Callable[..., object] | None = None, *what: object
) -> Iterator[ProcessPoolExecutor]:
    """So many, each prepared with `what` first.

    Whatever stops the block (an error, Ctrl-C), what has not begun is left, and what has is waited
    for: it writes into a folder that is about to go.
    """
    context = get_context("spawn")  # a fork would copy the threads' locks of Kafka's client
    with ProcessPoolExecutor(cores, context, partial(_begin, prepare, *what)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _begin(prepare: Callable[..., object] | None, *what: object) -> None:
    spare_collector()
    signal(SIGINT, SIG_IGN)  # the first process ends the others
    if prepare is not None:
        prepare(*what)
