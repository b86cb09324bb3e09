"""A folder for what a command puts down on its way: events of customers, so it never stays."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir, mkdtemp

_PREFIX = "vipcare-own-"
_REACH = os.W_OK | os.X_OK
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class OwnFolderError(Exception):
    """There is no place for it; one line that says what to do."""


@contextmanager
def own_folder() -> Iterator[Path]:
    """An empty folder in TMPDIR that only its owner may read; it is gone after the block. Raises
    OwnFolderError where that is no folder: another one may be nobody's choice.

    What was killed (kill -9) cannot clean up. Its folder goes when the next one is made: the system
    has given back its lock, so nobody is there any more.
    """
    place = _place()
    _sweep(place)
    folder, lock = _made(place)
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)
        _close(lock)


def _place() -> Path:
    named = os.environ.get("TMPDIR")
    place = Path(named or gettempdir())
    if not (place.is_dir() and os.access(place, _REACH)):
        raise OwnFolderError(
            f"TMPDIR is {place}, where nothing can be written: name a folder that has room for the "
            "events of customers, for a while"
        )
    return place


def _made(place: Path) -> tuple[Path, int | None]:
    while True:
        folder = Path(mkdtemp(prefix=_PREFIX, dir=place))
        try:
            lock = _locked(folder)
        except FileNotFoundError:  # another's sweep takes what nobody has locked
            continue
        except OSError:  # a file system without locks: nothing is swept there
            return folder, None
        if lock is not None and folder.exists():
            return folder, lock
        _close(lock)


def _sweep(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.lstat().st_uid == os.getuid() and (lock := _locked(folder)) is not None:
                rmtree(folder, ignore_errors=True)
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock; None if another has it. Raises OSError."""
    lock = os.open(folder, _OPEN)
    try:
        flock(lock, LOCK_EX | LOCK_NB)
    except OSError as error:
        os.close(lock)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return lock


def _close(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
