"""Look into a worker's local copy from another process, while the worker runs.

RocksDB lets others follow a folder that is in use (a secondary instance); what the worker wrote a
moment ago is seen. Nothing is written into the worker's folder: what RocksDB wants to write goes
to a folder of our own, which has links to the worker's files.
"""

import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rocksdict import AccessType, Options, Rdict

from agents.lane.store import MARK_KEY, Mark, read_mark

_TRIES = 8
_AGAIN_S = 0.05
_NOT_LINKED = {"LOCK", "LOG", "rocksdict-config.json"}


class Look(NamedTuple):
    """What a copy holds under a key, and how far it goes; None for what is not there."""

    value: bytes | None
    mark: Mark | None


class CopyError(Exception):
    """The copy cannot be read; one line."""


def copy_folder(data: Path, partition: int) -> Path | None:
    """The copy of a partition in a worker's data folder; None if there is none."""
    folder = data / f"customers-{partition}"
    return folder if (folder / "CURRENT").is_file() else None


def look(folder: Path, partition: int, key: bytes) -> Look:
    """What the copy in `folder` holds under a key. Raises CopyError."""
    for left in reversed(range(_TRIES)):
        try:
            return _look(folder, partition, key)
        except Exception as error:  # RocksDB raises plain Exception
            # The worker may drop files between our listing and our opening them.
            if not left:
                raise CopyError(f"the copy in {folder} cannot be read: {error}") from error
            time.sleep(_AGAIN_S)
    raise AssertionError


def _look(folder: Path, partition: int, key: bytes) -> Look:
    with tempfile.TemporaryDirectory(prefix="vipcare-look-") as own:
        links, logs = Path(own, "links"), Path(own, "logs")
        links.mkdir()
        for path in folder.resolve().iterdir():
            if path.name not in _NOT_LINKED:
                (links / path.name).symlink_to(path)
        db = Rdict(str(links), _options(), access_type=AccessType.secondary(str(logs)))
        try:
            mark = db.get(MARK_KEY)
            value: bytes | None = db.get(key)
            return Look(value, None if mark is None else read_mark(mark, partition))
        finally:
            db.close()


def _options() -> Options:
    options = Options(raw_mode=True)
    options.set_max_open_files(-1)  # a secondary must keep open what the worker may delete
    return options
