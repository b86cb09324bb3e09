"""Whether the workers have taken over every partition, read from their own metrics."""

import urllib.error
import urllib.request
from collections.abc import Iterable

from schemas.metrics import PARTITIONS, READY

_TIMEOUT_S = 2.0


def all_taken(addresses: Iterable[str], partitions: int) -> bool:
    """True once these workers together run all partition numbers, each restored and read."""
    taken = 0
    for address in addresses:
        gauges = _gauges(address)
        owned = int(gauges.get(PARTITIONS.name, 0))
        if owned and not gauges.get(READY.name):
            return False
        taken += owned
    return taken == partitions


def _gauges(address: str) -> dict[str, float]:
    """The metrics without labels; none while the page cannot be read."""
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=_TIMEOUT_S) as page:
            lines = page.read().decode().splitlines()
    except (urllib.error.URLError, OSError):
        return {}
    pairs = (line.split(" ") for line in lines if not line.startswith("#") and "{" not in line)
    return {pair[0]: float(pair[1]) for pair in pairs if len(pair) == 2}
