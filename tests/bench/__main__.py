"""`make bench`: the worker beside its peers on one Apache Kafka, and one promise a part.

`BROKER=embedded` measures the worker alone on the embedded broker, which has no transactions.
"""

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.bench.parts.every import PARTS
from tests.bench.parts.part import Measure, Options
from tests.bench.throughput.contenders import CONTENDERS
from tests.bench.throughput.parts import Choice, parts
from tests.kafka_server import VERSION, KafkaUnavailableError, jars

QUICK = 0.1


def main() -> None:
    # So that servers and contenders are ended, whoever stops this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    embedded = os.environ.get("BROKER") == "embedded"
    known = [*parts(Choice(embedded=embedded)), *([] if embedded else PARTS)]
    options = _arguments(known)
    choice = Choice(_named(options.contenders), embedded)
    measures = {**parts(choice), **({} if embedded else PARTS)}
    chosen = {name: measures[name] for name in _named(options.only) or known}
    console = Console(highlight=False, soft_wrap=True)
    if not embedded:
        try:
            jars()
        except KafkaUnavailableError as error:
            sys.exit(f"Apache Kafka cannot run here: {error}. Try BROKER=embedded")
    report = _measure(chosen, QUICK if options.quick else options.scale, console)
    report["machine"] = _machine()
    report["broker"] = "embedded, no transactions" if embedded else f"Apache Kafka {VERSION}"
    console.print(f"{_machine()}; the broker shares them. On {report['broker']}.")
    if options.report:
        options.report.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    if failed := report.get("failed"):
        sys.exit(f"failed: {', '.join(failed)}")


def _arguments(known: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", help=f"parts, with commas between: {', '.join(known)}")
    names = ", ".join(one.name for one in CONTENDERS)
    parser.add_argument("--contenders", help=f"of tiny and bank, with commas between: {names}")
    parser.add_argument("--quick", action="store_true", help="a try of everything in 5 minutes")
    parser.add_argument("--scale", type=float, default=1.0, help="of how much is measured")
    parser.add_argument("--report", type=Path, help="also write the figures as JSON")
    options = parser.parse_args()
    if unknown := set(_named(options.only)).difference(known):
        parser.error(f"there is no part {min(unknown)}: {', '.join(known)}")
    if unknown := set(_named(options.contenders)).difference(one.name for one in CONTENDERS):
        parser.error(f"there is no contender {min(unknown)}: {names}")
    if options.report and not options.report.absolute().parent.is_dir():
        parser.error(f"{options.report.parent} is no folder")
    return options


def _named(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _measure(chosen: Mapping[str, Measure], scale: float, console: Console) -> dict[str, Any]:
    """Every part's figures in one report. A part that fails is told; the others go on."""
    report: dict[str, Any] = {"scale": scale}
    began = time.monotonic()

    def say(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.0f} s  {line}[/dim]")

    for name, measure in chosen.items():
        say(name)
        try:
            part = measure(Options(scale, say))
        except Exception:
            console.print_exception()
            report.setdefault("failed", []).append(name)
            continue
        merge(report, part.figures)
        for line in part.lines:
            console.print(line, markup=False)
        console.print()
    report["seconds"] = round(time.monotonic() - began)
    return report


def merge(report: dict[str, Any], figures: Mapping[str, Any]) -> None:
    """Put a part's figures into the report; what both have as a dict is merged."""
    for name, value in figures.items():
        there = report.get(name)
        if isinstance(there, dict) and isinstance(value, Mapping):
            merge(there, value)
        else:
            report[name] = value


def _machine() -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    where = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return f"{where}, Python {python}, librdkafka of confluent-kafka {version('confluent-kafka')}"


if __name__ == "__main__":
    main()
