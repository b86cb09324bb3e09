"""A file that a command writes: under its own name only once all of it is there."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from agents.cli.errors import UserError

_OWNER_ONLY, _ANYONE = 0o600, 0o666


def _usual() -> int:
    """Who may use a file that is made anew."""
    mask = os.umask(0o077)
    os.umask(mask)
    return _ANYONE & ~mask


@contextmanager
def whole_file(path: Path, reads: Iterable[Path] = ()) -> Iterator[IO[Any]]:
    """Bytes for `path`, written beside it as `NAME.part` and renamed at the end; `-` is stdout.

    Whatever stops it before takes the part away: what had the name before stays as it was. After
    `kill -9` the part stays, and only its owner may read it. A device or a pipe is written as it
    is. Raises UserError where nothing can be written, or one of the files that the command `reads`
    would be lost.
    """
    if str(path) == "-" or (path.exists() and not path.is_file()):
        with click.open_file(str(path), "wb") as straight:
            yield straight
        return
    whole = path.resolve()
    part = whole.with_name(f"{whole.name}.part")
    for one in reads:
        if any(mine.exists() and mine.samefile(one) for mine in (whole, part)):
            raise UserError(f"{path} would take the place of {one}, which is read: name another")
    try:
        part.unlink(missing_ok=True)
        part.touch(_OWNER_ONLY, exist_ok=False)
        file = part.open("wb")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with file:
            yield file
        part.chmod(whole.stat().st_mode & _ANYONE if whole.exists() else _usual())
        part.replace(whole)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
