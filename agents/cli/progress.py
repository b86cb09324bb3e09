"""How far a command is: one line on a terminal, nothing elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Show = Callable[[str, int, int], None]
"""Is told what is done, how much of it, and of how much (0: nobody knows)."""
_SAY_EVERY_S = 0.2
_WIDTH = 30


@contextmanager
def progress(what: str = "messages") -> Iterator[Show]:
    """`what` is counted."""
    stream, said = sys.stderr, time.monotonic()

    def show(doing: str, done: int, of: int) -> None:
        nonlocal said
        if time.monotonic() - said < _SAY_EVERY_S:
            return
        said = time.monotonic()
        bar = ""
        if of:
            full = done * _WIDTH // of
            bar = f"[{'#' * full}{'-' * (_WIDTH - full)}] {done / of:4.0%} "
        stream.write(f"\r\x1b[K{doing} {bar}{done:,} {what}")
        stream.flush()

    if not stream.isatty():
        yield lambda _doing, _done, _of: None
        return
    try:
        yield show
    finally:
        stream.write("\r\x1b[K")
        stream.flush()
