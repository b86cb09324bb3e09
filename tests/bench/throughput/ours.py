"""Our contender: `vipcare worker` as a process, as it is deployed."""

import os
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from config.settings import ClockSettings, LogSettings, Settings, WorkerSettings
from schemas.envelope import from_millis
from tests.bench.throughput.ground import Ground
from tests.bench.throughput.workload import CALENDAR, Workload
from tests.ports import free_port


class Cache(NamedTuple):
    hits: float
    misses: float


def settings_of(ground: Ground, workload: Workload, app: str, data: Path) -> Settings:
    section = {
        "app": app,
        "data": data,
        "rules": ground.rules_folder,
        "metrics_port": free_port(),
    }
    if workload.cache_bytes is not None:
        section["cache_bytes"] = workload.cache_bytes
    clock = ClockSettings()
    if workload.ends is not None:
        clock = ClockSettings(origin=from_millis(workload.ends), started=datetime.now(UTC))
    return ground.settings.model_copy(
        update={
            "clock": clock,
            "worker": WorkerSettings.model_validate(section),
            "log": LogSettings(level="error"),
        }
    )


def start(settings: Settings, log: int) -> "subprocess.Popen[bytes]":
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("VIPCARE_")
    }
    for section in ("kafka", "topics", "worker", "log", "clock"):
        values = getattr(settings, section).model_dump(exclude_unset=True)
        environment |= {
            f"VIPCARE_{section}__{name}".upper(): str(value) for name, value in values.items()
        }
    environment["VIPCARE_STEP__CALENDAR"] = str(CALENDAR)
    command = [sys.executable, "-m", "agents.cli.main", "worker"]
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def cache(settings: Settings) -> Cache:
    """What its /metrics say of the cache of decoded records, so far."""
    address = f"http://127.0.0.1:{settings.worker.metrics_port}/metrics"
    page = urllib.request.urlopen(address, timeout=5).read().decode()
    samples = dict(line.split(" ")[:2] for line in page.splitlines() if not line.startswith("#"))
    return Cache(
        float(samples["vipcare_cache_hits_total"]), float(samples["vipcare_cache_misses_total"])
    )
