"""The data folder of `vipcare up`: one user at a time, and old runs that are safe to delete.

A run whose broker begins empty gets a folder of its own, because the records and tables of another
run would not fit. The last such run is kept, older ones are deleted: only folders that carry our
marker. On another broker the data stays in one folder.
"""

import shlex
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from agents.local.folder_lock import FolderError, FolderLock
from sinks.private_folder import make_private

MARKER = ".vipcare-run"


class RunFolder:
    """Locks `root` while it is open; `path` is the folder of this run. Raises FolderError."""

    def __init__(self, root: Path, *, fresh: bool, now: datetime, kept: str = "kept") -> None:
        self._root = root
        self._told = root / "env"
        self._fresh = fresh
        self._name = f"run-{now:%Y%m%d-%H%M%S}" if fresh else kept

    def __enter__(self) -> Self:
        self._lock = FolderLock(self._root, "vipcare up")
        try:
            if self._fresh:
                _forget_old_runs(self._root)
            self.path = _made(self._root, self._name, fresh=self._fresh)
        except OSError as error:
            self._lock.release()
            raise FolderError(f"data folder {self._root}: {error.strerror}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._told.unlink(missing_ok=True)
        self._lock.release()

    def tell(self, environment: Mapping[str, str]) -> Path:
        """Write what another shell sets to be of this run; it goes when the run ends."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()]
        self._told.write_text("".join(lines), encoding="utf-8")
        return self._told

    def log(self, name: str) -> Path:
        """Where the process `name` writes what it says."""
        return self.path / "logs" / f"{name}.log"


def _made(root: Path, name: str, *, fresh: bool) -> Path:
    path, again = root / name, 1
    while fresh and path.exists():  # two runs within a second
        again += 1
        path = root / f"{name}-{again}"
    make_private(path)
    (path / "logs").mkdir(exist_ok=True)
    if fresh:
        (path / MARKER).write_text("made by vipcare up; it deletes this folder\n", encoding="ascii")
    return path


def _forget_old_runs(root: Path) -> None:
    runs = [path for path in root.glob("run-*") if _is_ours(path)]
    for path in sorted(runs, key=lambda run: (run / MARKER).stat().st_mtime)[:-1]:
        shutil.rmtree(path, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and (path / MARKER).is_file()
