"""From an event produced to its effect readable by `read_committed`, on Apache Kafka.

First the greatest rate of the same kind of events (they are all there, the worker takes them as
fast as it can), then 1,000 events a second, then half of the greatest rate. Every event keeps a
count and a sum of its customer, one in five raises an alert; 20,000 customers, 4 partitions.
Producer, broker, worker and reader share the machine.

The peer at 1,000 events a second is a bare loop beside the same producer and reader: consume,
begin, produce what the worker would (a record an event, the alerts), commit. What it takes is
what Kafka and its clients take.
"""

from itertools import islice
from typing import Any

from config.settings import Settings
from tests.bench.parts.bare_loop import bare_loop
from tests.bench.parts.effects import Seen, reading
from tests.bench.parts.journal import follow
from tests.bench.parts.part import Options, Part, percentile, run_alone, scratch
from tests.bench.parts.traffic import pace, send_all, uniform
from tests.lane.process import Worker

RATE = 1_000
CUSTOMERS = 20_000
_KAFKA_WARM_S = 20.0
"""A pace before the measured ones: commits are slow until Kafka's code was compiled (measured)."""
_WARM_S = 3.0
"""Left out at the beginning of a run."""


def measure(options: Options) -> Part:
    seconds = max(5.0, 30.0 * options.scale)
    with scratch() as settings:
        options.say("the greatest rate")
        sent = send_all(
            settings.kafka,
            islice(uniform(CUSTOMERS), max(60_000, options.scaled(200_000))),
            "fill",
        )
        with Worker(settings) as worker:
            greatest = _rate(settings, sent)
            _warm_up(settings)
            options.say(f"{RATE} events/s for {seconds:g} s")
            calm = _run(settings, RATE, seconds, "calm")
            half = greatest / 2
            options.say(f"{half:.0f} events/s, half of the greatest rate, for {seconds:g} s")
            busy = _run(settings, half, seconds, "busy")
            worker.stop()
    options.say(f"the bare loop at {RATE} events/s")
    with scratch() as settings, bare_loop(settings):
        _warm_up(settings)
        bare = _run(settings, RATE, seconds, "bare")
    return _part(greatest, calm, busy, bare)


def _rate(settings: Settings, sent: int) -> float:
    """Events a second from the first chunk, which is left out, to the last."""
    chunks = list(follow(settings, sent))
    taken = sum(chunk.taken for chunk in chunks[1:])
    return taken / (max(chunk.at for chunk in chunks) - chunks[0].at) * 1_000


def _warm_up(settings: Settings) -> None:
    with pace(settings.kafka, RATE, _KAFKA_WARM_S, CUSTOMERS, "warm") as wait:
        wait()


def _run(settings: Settings, rate: float, seconds: float, run: str) -> dict[str, Any]:
    """Figures of one pace: what was reached, latencies in milliseconds."""
    kafka, partitions = settings.kafka, settings.topics.partitions
    with reading(kafka, "vip.alerts", partitions) as effects:
        with pace(kafka, rate, _WARM_S + seconds, CUSTOMERS, run) as wait:
            reached = wait()
        seen = effects.end()
    first = min(one.caused for one in seen) + _WARM_S
    return {"events_per_second": round(reached), **figures(seen, first)}


def figures(seen: list[Seen], since: float) -> dict[str, Any]:
    """Percentiles, in milliseconds, of the effects of events produced since then."""
    late = sorted((one.at - one.caused) * 1_000 for one in seen if one.caused >= since)
    named = {"p50": 50.0, "p99": 99.0, "p999": 99.9, "max": 100.0}
    found = {name: round(percentile(late, percent), 1) for name, percent in named.items()}
    return {"effects": len(late), **found}


def _part(
    greatest: float, calm: dict[str, Any], busy: dict[str, Any], bare: dict[str, Any]
) -> Part:
    return Part(
        {
            "latency_ms": {
                "p50": calm["p50"],
                "p99": calm["p99"],
                "p999_half_load": busy["p999"],
                "p50_to_bare": round(calm["p50"] / bare["p50"], 2),
                "p99_to_bare": round(calm["p99"] / bare["p99"], 2),
                "greatest_rate": round(greatest),
                "at_1000": calm,
                "at_half_load": busy,
                "bare_at_1000": bare,
            }
        },
        [
            "Latency, event produced → alert readable by read_committed, with transactions:",
            _line("worker", calm),
            _line("bare transactional loop", bare),
            _line(f"worker, half of its {greatest:,.0f}/s", busy),
        ],
    )


def _line(name: str, run: dict[str, Any]) -> str:
    return (
        f"  {name} at {run['events_per_second']:,} events/s: p50 {run['p50']} ms, "
        f"p99 {run['p99']}, p99.9 {run['p999']}, max {run['max']} ({run['effects']:,} effects)"
    )


if __name__ == "__main__":
    run_alone(measure)
