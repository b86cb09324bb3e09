"""A file that a command writes: under its own name only once all of it is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click


@contextmanager
def whole_file(path: Path) -> Iterator[IO[Any]]:
    """Bytes for `path`, written beside it as `NAME.part` and renamed at the end; `-` is stdout.

    Whatever stops it before takes the part away: what had the name before stays as it was. A
    device or a pipe is written as it is. Raises OSError.
    """
    if str(path) == "-" or (path.exists() and not path.is_file()):
        with click.open_file(str(path), "wb") as straight:
            yield straight
        return
    whole = path.resolve()
    part = whole.with_name(f"{whole.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(whole)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
