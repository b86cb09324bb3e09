"""How many messages a peer has worked through, as a number in a file: for one whose
committed offsets do not tell."""

import mmap
import struct
from pathlib import Path

_COUNT = struct.Struct("<q")


class Counter:
    """Written for whoever looks; the file is there already."""

    def __init__(self, folder: str) -> None:
        with Path(folder, "count").open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _COUNT.size)
        self._count = 0

    def add(self) -> None:
        self._count += 1
        _COUNT.pack_into(self._memory, 0, self._count)
