"""A folder has one owner: who it is, and that it is free when the last who holds it has ended."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.local.folder_lock import FolderError, FolderLock
from tests.stack.processes import still_there

_OWNER_WITH_CHILD = """
import subprocess, sys
from pathlib import Path
from agents.local.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]), "vipcare kafka")
child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, pass_fds=(lock.fileno(),))
lock.name(child.pid)
print(child.pid, flush=True)
child.wait()
"""


def test_a_child_that_outlives_the_owner_holds_the_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _OWNER_WITH_CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        with pytest.raises(FolderError, match=rf"another vipcare kafka \(process {owner.pid}\): "):
            FolderLock(tmp_path, "vipcare kafka")
        owner.kill()
    began = time.monotonic()
    with pytest.raises(FolderError, match=rf"\(process {child}\): stop that one, or choose"):
        FolderLock(tmp_path, "vipcare kafka", patience_s=0.3)
    assert time.monotonic() - began >= 0.3
    os.kill(child, 9)
    assert not still_there({child: "sleep"})
    FolderLock(tmp_path, "vipcare kafka").release()


def test_a_folder_is_free_once_it_was_given_back(tmp_path: Path) -> None:
    for _ in range(2):
        lock = FolderLock(tmp_path / "new", "vipcare kafka")
        assert (tmp_path / "new" / ".lock").read_text() == f"{os.getpid()}\n"
        lock.release()
