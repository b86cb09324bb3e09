"""One owner of a folder at a time: a locked file in it that says who that is.

The lock belongs to the open file (`flock`): a kill frees it, and a child that is handed the file
holds it until it has ended, too, also when it outlives its parent.
"""

import fcntl
import os
import time
from pathlib import Path

from sinks.private_folder import make_private

_FILE = ".lock"
_LOOK_S = 0.05


class FolderError(Exception):
    """The folder cannot be used; one line."""


class FolderLock:
    """Takes `folder` for `who` (a command's name), and makes it if it is not there.

    One that is made is its owner's alone: it is to hold customers' data.
    While another has it, it is asked again for `patience_s`: its children may be about to end.
    Raises FolderError.
    """

    def __init__(self, folder: Path, who: str, patience_s: float = 0.0) -> None:
        try:
            make_private(folder)
            self._file = (folder / _FILE).open("a+", encoding="ascii")
        except OSError as error:
            raise FolderError(f"data folder {folder}: {error.strerror}") from error
        until = time.monotonic() + patience_s
        while not self._is_taken():
            if time.monotonic() >= until:
                owner = self._owner()
                self._file.close()
                raise FolderError(
                    f"data folder {folder} is in use by another {who} (process {owner}): "
                    "stop that one, or choose another folder with --data"
                )
            time.sleep(_LOOK_S)
        self._file.truncate(0)
        self.name(os.getpid())

    def fileno(self) -> int:
        """For a child that is to hold the lock as well (`pass_fds`)."""
        return self._file.fileno()

    def name(self, process: int) -> None:
        """Say who else holds it."""
        self._file.write(f"{process}\n")
        self._file.flush()

    def release(self) -> None:
        """Give the folder back, unless a child still holds it."""
        self._file.close()

    def _is_taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _owner(self) -> str:
        """The first of those named that lives: a child may have outlived who named it."""
        self._file.seek(0)
        named = self._file.read().split()
        return next((process for process in named if _lives(int(process))), "?")


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
