"""What a process says of its health, asked as an orchestrator asks."""

import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple

from config.settings import Settings
from tests.lane.process import Worker, changed


class Told(NamedTuple):
    status: int
    """0 while nobody answers."""
    body: dict[str, Any]

    @property
    def state(self) -> str:
        return str(self.body.get("state", ""))


def ask(url: str) -> Told:
    try:
        with urllib.request.urlopen(url, timeout=2) as page:
            return Told(page.status, json.load(page))
    except urllib.error.HTTPError as error:
        return Told(error.code, json.load(error))
    except OSError:
        return Told(0, {})


def health(worker: Worker, page: str = "healthz") -> Told:
    return ask(worker.url.replace("metrics", page)) if worker.url else Told(0, {})


def impatient(settings: Settings, stalled_s: float = 12.0, exit_s: float = 3.0) -> Settings:
    """Stalled after a few seconds: longer than its transactions may take, and than Kafka may be
    silent before a worker calls it away (`agents.health.KAFKA_SILENT_S`)."""
    return changed(
        settings,
        "worker",
        stalled_after_s=stalled_s,
        stalled_exit_after_s=exit_s,
        transaction_timeout_ms=5_000,
        rebalance_timeout_s=6,
        session_timeout_s=3,
    )
