"""Taking a port on loopback, and saying what to do when it cannot be taken."""

from __future__ import annotations

import ipaddress
import os
import socket

from sinks.local_clickhouse.errors import LocalClickHouseError, PortTakenError

MAX_CLIENTS = 100
_WHAT = {"--port": "the native protocol", "--http-port": "HTTP"}


def listen(host: str, port: int, option: str) -> socket.socket:
    """A listening socket. Raises `LocalClickHouseError`; `option` is what chooses the port."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise LocalClickHouseError(
            f"the local ClickHouse listens on loopback only, and {host} is not: its SQL can read"
            " files. Choose 127.0.0.1, or install a ClickHouse server"
        )
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=MAX_CLIENTS)
    except (OSError, OverflowError) as error:
        # What Python adds to the system's words is left out.
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise PortTakenError(
            f"cannot listen on {host}:{port} for {_WHAT[option]} ({reason}): stop what uses the"
            f" port, or choose another ({option}; 0 takes a free one)"
        ) from None
