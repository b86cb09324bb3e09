"""Ports on loopback, and whether someone answers at an address."""

import socket

LOOPBACK = "127.0.0.1"


def free_port(wanted: int = 0) -> int:
    """`wanted` if it is free now, else any other free port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            probe.bind((LOOPBACK, 0))
        chosen: int = probe.getsockname()[1]
        return chosen


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
