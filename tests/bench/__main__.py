"""`make bench`: the worker on both brokers beside the pure core, on the simulated bank's events."""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from agents.bank.message import Message
from agents.local.broker import EmbeddedBroker
from agents.topics import create
from config.settings import KafkaSettings, LogSettings, Settings, WorkerSettings
from tests.bench.core import measure_core
from tests.bench.events import bank_messages, preload
from tests.bench.figures import Figures, as_json, as_table
from tests.bench.worker import measure_worker
from tests.kafka_server import VERSION, KafkaServer, KafkaUnavailableError, jars


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="messages (default: 100,000)")
    parser.add_argument("--report", type=Path, help="also write the figures as JSON")
    options = parser.parse_args()
    console = Console(highlight=False)
    with console.status(f"making {options.events:,} messages of the simulated bank"):
        loaded = bank_messages(options.events)
    with console.status("the pure core"):
        figures = [measure_core(Settings(), loaded)]
    with console.status("the worker on the embedded broker"):
        figures.append(_embedded(loaded))
    try:
        jars()
    except KafkaUnavailableError as error:
        console.print(f"Apache Kafka is left out: {error}")
    else:
        with console.status(f"the worker on Apache Kafka {VERSION}"):
            figures.append(_apache(loaded))
    console.print(as_table(figures))
    console.print(f"{_machine()}; brokers and worker share it. A worker's first chunk is left out.")
    if options.report:
        report = {"machine": _machine(), "contenders": as_json(figures)}
        options.report.write_text(json.dumps(report, indent=2) + "\n")


def _embedded(loaded: Sequence[Message]) -> Figures:
    with EmbeddedBroker() as broker, _settings(broker.bootstrap, transactions=False) as settings:
        return _worker("worker, embedded", settings, loaded)


def _apache(loaded: Sequence[Message]) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        server = KafkaServer(Path(folder))
        try:
            with _settings(server.start(), transactions=True) as settings:
                return _worker(f"worker, Kafka {VERSION}", settings, loaded)
        finally:
            server.stop()


def _worker(name: str, settings: Settings, loaded: Sequence[Message]) -> Figures:
    create(settings)
    preload(settings, loaded)
    return measure_worker(name, settings, len(loaded))


@contextmanager
def _settings(bootstrap: str, *, transactions: bool) -> Iterator[Settings]:
    with tempfile.TemporaryDirectory() as folder:
        yield Settings(
            kafka=KafkaSettings(bootstrap=bootstrap, transactions=transactions),
            worker=WorkerSettings(data=Path(folder)),
            log=LogSettings(level="error"),
        )


def _machine() -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {python}"


if __name__ == "__main__":
    main()
