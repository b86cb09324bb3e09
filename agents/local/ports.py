"""Ports on loopback, and whether someone answers at an address."""

import contextlib
import fcntl
import os
import secrets
import socket
import tempfile
from pathlib import Path

LOOPBACK = "127.0.0.1"
_OURS = range(10_000, 20_000)
"""Below those that systems give to outgoing connections, so that none is made from a port in the
seconds between its choice and its use; above those that well-known servers listen on."""
_drawn: set[int] = set()
_claims: dict[int, int] = {}
"""Port → the descriptor of its locked file, held until this process ends."""


def free_port(wanted: int = 0) -> int:
    """`wanted` if it is free now and no other stack has chosen it, else any other free port.

    Another is drawn, so that stacks that start together do not find the same one; and once only:
    a server listens seconds after its port was chosen.
    """
    if wanted and is_free(wanted) and _claim(wanted):
        return wanted
    while True:
        drawn = secrets.choice(_OURS)
        if drawn not in _drawn and is_free(drawn):
            _drawn.add(drawn)
            return drawn


def _claim(port: int) -> bool:
    """Two stacks that start together both find a port free before either listens on it."""
    if port in _claims:
        return True
    path = Path(tempfile.gettempdir()) / f"vipcare-{os.getuid()}-port-{port}.lock"
    with contextlib.suppress(OSError):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
        else:
            _claims[port] = file
    return port in _claims


def is_free(port: int) -> bool:
    """Whether nobody listens on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Whether a TCP connection can be made."""
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError:
        return False
    return True


def split(address: str) -> tuple[str, int]:
    """`host:port` and `[::1]:port` as host and port."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
