"""Folders that hold customers' data: nobody but their owner opens them."""

from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder for its owner alone, and those above it that are missing. Raises OSError.

    One that is there stays as it is: its owner may have opened it to a group. `vipcare doctor`
    tells of it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def is_private(folder: Path) -> bool:
    """Whether the folder, or one above it, lets nobody but its owner through."""
    whole = folder.resolve()
    return any(not place.stat().st_mode & 0o011 for place in (whole, *whole.parents))
