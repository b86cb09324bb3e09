"""Ctrl-C and SIGTERM that wait for a good moment."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_wait() -> Iterator[Callable[[], None]]:
    """In the block they do nothing by themselves: half a swap would be neither the old state nor
    the new one. What is given raises KeyboardInterrupt if one came. For the main thread; in another
    one none ever arrives."""
    came: list[int] = []

    def give_way() -> None:
        if came:
            raise KeyboardInterrupt

    try:
        kept = {
            number: signal.signal(number, lambda number, _frame: came.append(number))
            for number in (signal.SIGINT, signal.SIGTERM)
        }
    except ValueError:  # not the main thread
        kept = {}
    try:
        yield give_way
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
