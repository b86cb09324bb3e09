"""Ports for servers that tests start, also when tests run side by side."""

import os
import secrets

from agents.local.ports import is_free

_OURS = range(20_000, 32_000)
"""Below those that systems give to outgoing connections (Linux: from 32768, macOS: from 49152). A
server that is away for a while finds its port free again, and no client that tries to reach it
meanwhile is connected to itself."""
_SHARES = 8
_given: set[int] = set()


def free_port() -> int:
    """A port nobody listens on, and that no other test of this run is given.

    Processes that run tests side by side draw from shares of their own, and one process draws a
    port once: a server listens only seconds after it has chosen its ports. Drawn, because other
    runs on the machine look for some too.
    """
    ours = _share()
    while True:
        port = ours[secrets.randbelow(len(ours))]  # `random` is seeded alike in every process
        if port not in _given and is_free(port):
            _given.add(port)
            return port


def _share() -> range:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return _OURS[int(worker.removeprefix("gw")) % _SHARES :: _SHARES] if worker else _OURS
