"""`vipcare worker` as a process of its own, and what its /metrics says."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from agents.fail_points import SWITCH, VARIABLE
from config.settings import KafkaSettings, Settings, TopicSettings, WorkerSettings

READY_S = 120.0


def settings_for(
    bootstrap: str, data: Path, *, transactions: bool, app: str = "vipcare", partitions: int = 2
) -> Settings:
    """Settings for tests: small chunks, so that there are many; short timeouts."""
    return Settings(
        kafka=KafkaSettings(bootstrap=bootstrap, transactions=transactions),
        topics=TopicSettings(partitions=partitions),
        worker=WorkerSettings(
            app=app,
            data=data,
            chunk_events=100,
            # So little that records leave it while they are on their way to the local store.
            cache_bytes=400_000,
            session_timeout_s=6,
            rebalance_timeout_s=6 if not transactions else 20,
            drain_timeout_s=5,
            transaction_timeout_ms=10_000,
        ),
    )


def failing(plan: str) -> dict[str, str]:
    """The variables that make a process fail at points (agents/fail_points.py)."""
    return {VARIABLE: plan, SWITCH: "yes"}


def changed(settings: Settings, section: str, **values: object) -> Settings:
    """The same settings but for some values of a section."""
    changed_section = getattr(settings, section).model_copy(update=values)
    return settings.model_copy(update={section: changed_section})


class Worker:
    """One worker. Its log goes to `log`, next to its data."""

    def __init__(self, settings: Settings, fail: str = "", arguments: Sequence[str] = ()) -> None:
        self.settings = settings
        self.arguments = arguments
        self.fail = fail
        """Fail points (agents/fail_points.py) of the next start."""
        self.log = settings.worker.data.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("VIPCARE_")
        }
        environment |= variables(self.settings)
        if self.fail:
            environment |= failing(self.fail)
        command = [sys.executable, "-m", "agents.cli.main", "worker", *self.arguments]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stderr=log)
        return self

    @property
    def url(self) -> str:
        """Where its /metrics are, empty while it has not said so."""
        told = re.findall(r'"metrics": "(http[^"]+)"', self.log.read_text())
        return told[-1] if told else ""

    def metrics(self) -> dict[str, float]:
        """Sample name with its labels → value; empty while there is no answer."""
        if not self.url:
            return {}
        try:
            page = urllib.request.urlopen(self.url, timeout=2).read().decode()
        except OSError:
            return {}
        found = re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", page, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def total(self, name: str) -> float:
        """The sum over all labels of a metric."""
        return sum(
            value for sample, value in self.metrics().items() if sample.partition("{")[0] == name
        )

    def wait_until(self, holds: Callable[[], bool], seconds: float = READY_S) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert self.process.poll() is None, f"the worker ended:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"too slow:\n{self.log.read_text()[-3000:]}"
            time.sleep(0.1)

    def wait_ready(self, partitions: int | None = None) -> Self:
        def ready() -> bool:
            metrics = self.metrics()
            mine = metrics.get("vipcare_partitions")
            return metrics.get("vipcare_ready") == 1 and (partitions is None or mine == partitions)

        self.wait_until(ready)
        return self

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "not started"
        return self._process

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


def variables(settings: Settings) -> dict[str, str]:
    variables = {}
    for section in ("kafka", "topics", "worker", "step", "refusals", "clock"):
        for name, value in getattr(settings, section).model_dump(exclude_unset=True).items():
            variables[f"VIPCARE_{section}__{name}".upper()] = str(value)
    return variables
