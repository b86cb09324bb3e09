"""Ports for servers that tests start, also when tests run side by side."""

import secrets
import socket

_OURS = range(20_000, 32_000)
"""Below those that systems give to outgoing connections (Linux: from 32768, macOS: from 49152). A
server that is away for a while finds its port free again, and no client that tries to reach it
meanwhile is connected to itself."""


def free_port() -> int:
    """A port nobody listens on; drawn, because between here and its use others look for one too."""
    while True:
        port = _OURS[secrets.randbelow(len(_OURS))]  # `random` is seeded alike in every process
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
