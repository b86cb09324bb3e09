"""No orphans: a process that we start ends when the process that started it does, even by kill -9.

On Linux the kernel sees to it (`PR_SET_PDEATHSIG`). Elsewhere a thread watches the parent.
"""

import ctypes
import os
import signal
import sys
import threading
import time

PARENT = "VIPCARE_PARENT"
_PR_SET_PDEATHSIG = 1
_WATCH_S = 0.5
_GRACE_S = 5.0

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def kill_with_parent() -> None:
    """Runs between fork and exec of a foreign program (`preexec_fn`); nothing off Linux.

    The kernel counts the *thread* that forked as the parent: fork in one that lives on.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def follow_parent() -> None:
    """For our own commands, first thing: end with the process `VIPCARE_PARENT` names, if any."""
    named = os.environ.pop(PARENT, "")
    if named.isdecimal():
        follow(int(named))


def follow(parent: int) -> None:
    """End with the process `parent`, which started this one."""
    if _libc is not None:
        kill_with_parent()
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)
        return
    threading.Thread(target=_watch, args=(parent,), name="lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(1)
