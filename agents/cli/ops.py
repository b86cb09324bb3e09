"""What a worker and a sink have in common: their pages, and the watchdog that ends what stalled."""

import errno
import socket
from collections.abc import Callable

from agents.cli.errors import UserError
from agents.faults import Fault, die
from config.settings import SinkSettings, WorkerSettings
from sinks.health import Health
from sinks.metrics import Metrics
from sinks.ops_server import OpsServer
from sinks.watchdog import Watchdog

Service = WorkerSettings | SinkSettings


def serve(metrics: Metrics, service: Service, section: str) -> OpsServer:
    """Their pages; `section` is the service's in the settings. Raises UserError."""
    host, port = service.host, service.metrics_port
    try:
        return OpsServer(metrics, host, port)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that can be nobody's
        variable = f"VIPCARE_{section.upper()}__"
        if _is_about_host(error):
            mend = f"set {variable}HOST to a name or an address of this machine"
        else:
            mend = f"set {variable}METRICS_PORT to another port, or 0 for any"
        reason = error.strerror if isinstance(error, OSError) else "no name of a machine"
        raise UserError(f"/metrics cannot listen on {host}:{port} ({reason}): {mend}") from error


def _is_about_host(error: OSError | UnicodeError) -> bool:
    return isinstance(error, socket.gaierror | UnicodeError) or error.errno == errno.EADDRNOTAVAIL


def watchdog(look: Callable[[float], Health], service: Service) -> Watchdog:
    """`look` gets the seconds since the last look."""
    return Watchdog(
        look,
        exit_after_s=service.stalled_exit_after_s,
        end=lambda reason: die(Fault.STALLED, f"{reason}: starting again is safe"),
        status=Fault.STALLED,
    )
