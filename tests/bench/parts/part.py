"""A part of the benchmark that measures one promise: what it gives back, and where it runs.

A part is a function `measure(options) -> Part` in a module of its own, which also runs alone
(`python -m tests.bench.parts.latency`). tests/bench/parts.py lists them all.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agents.topics import create
from config.settings import KafkaSettings, LogSettings, Settings, TopicSettings, WorkerSettings
from tests.bench.parts.traffic import write_rules
from tests.kafka_server import KafkaServer


class Options(NamedTuple):
    scale: float = 1.0
    """Of how much is measured: 0.1 tries the code, 1 gives figures that are sound."""
    say: Callable[[str], object] = lambda _: None
    """Told what is going on."""

    def scaled(self, count: float) -> int:
        return max(1, int(count * self.scale))


class Part(NamedTuple):
    figures: dict[str, object]
    """For the report, merged into its top level: plain numbers, texts, lists and dicts."""
    lines: Sequence[str]
    """For people: what was measured, and what came out, in plain words."""


Measure = Callable[[Options], Part]


@contextmanager
def scratch(partitions: int = 4, **worker: object) -> Iterator[Settings]:
    """An Apache Kafka of its own with all topics, the benchmark's rule, and an empty disk.

    `worker` are settings of the worker's section that differ from the defaults.
    """
    with tempfile.TemporaryDirectory(prefix="vipcare-bench-") as made:
        folder = Path(made)
        server = KafkaServer(folder / "kafka", java=())
        try:
            bootstrap = server.start()
            section = {
                "data": folder / "worker",
                "rules": write_rules(folder / "rules"),
                **worker,
            }
            settings = Settings(
                kafka=KafkaSettings(bootstrap=bootstrap),
                topics=TopicSettings(partitions=partitions),
                worker=WorkerSettings.model_validate(section),
                log=LogSettings(level="info"),
            )
            create(settings)
            yield settings
        finally:
            server.stop()


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest rank: the smallest value that so many percent do not exceed."""
    rank = -int(-len(ordered) * percent // 100)
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def run_alone(measure: Measure) -> None:
    """The command line of a part's own module."""
    parser = argparse.ArgumentParser(description=sys.modules[measure.__module__].__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of how much is measured")
    arguments = parser.parse_args()
    part = measure(Options(arguments.scale, lambda line: sys.stderr.write(f"… {line}\n")))
    sys.stdout.write("\n".join((*part.lines, json.dumps(part.figures, indent=2), "")))
