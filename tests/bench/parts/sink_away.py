"""The sink away for ten minutes at 2,000 events a second: what it costs, and how it comes back.

First the sink is there, then it is killed (-9) and stays away, then it is back and catches up, all
the time at the same pace. Every event keeps a count and a sum of its customer, one in five raises
an alert: so the worker's latency, from an event produced to its alert readable, is seen throughout.
In the end ClickHouse must show every event and every alert once. All share the machine.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from agents.librdkafka import librdkafka_config
from agents.reading import partitions_of, read_topic
from config.settings import Settings
from schemas.effects import decode_effect
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.tables import TABLE_OF
from sinks.kafka_probe import KafkaProbe
from tests.bench.parts.effects import Seen, reading
from tests.bench.parts.latency import figures
from tests.bench.parts.part import Options, Part, run_alone, scratch
from tests.bench.parts.sinking import SinkProcess, clickhouse, group_places
from tests.bench.parts.traffic import TOPIC, pace
from tests.lane.process import Worker

RATE = 2_000
CUSTOMERS = 20_000
AWAY_S = 600.0
PRESENT_S = 60.0
DRAIN_LIMIT_S = 120.0
_GIVE_UP_S = 600.0
_WARM_S = 20.0
_WRONG = ("missing_events", "missing_alerts", "doubled", "unknown")
_PROBES = 10
"""A busy machine may leave one without an answer for seconds."""
_CAUGHT_UP = RATE * 2
"""Messages behind, at which it has caught up: what comes while it collects and stores a batch."""


def measure(options: Options) -> Part:
    away_s = max(20.0, AWAY_S * options.scale)
    present_s = max(15.0, PRESENT_S * options.scale)
    with scratch() as settings, clickhouse() as address:
        migrate(address)
        with Worker(settings) as worker:
            worker.wait_ready()
            found = _run(options, settings, address, worker, present_s, away_s)
            worker.stop()
        options.say("comparing")
        found |= _compared(settings, address)
    return _part(found)


def _run(
    options: Options,
    settings: Settings,
    address: Address,
    worker: Worker,
    present_s: float,
    away_s: float,
) -> dict[str, Any]:
    kafka = settings.kafka
    longest = _WARM_S + present_s + away_s + _GIVE_UP_S
    with (
        reading(kafka, "vip.alerts", settings.topics.partitions) as effects,
        group_places(settings, settings.sink.group, list(TABLE_OF)) as committed,
    ):
        behind = _behind(settings, committed)
        with pace(kafka, RATE, longest, CUSTOMERS, "away"):
            with SinkProcess(settings, address) as sink:
                options.say(f"the sink is there, for {present_s:g} s")
                time.sleep(_WARM_S)
                there = time.time()
                time.sleep(present_s)
                sink.process.kill()
                sink.process.wait()
            killed = time.time()
            options.say(f"it is away, for {away_s:g} s")
            time.sleep(away_s)
            backlog, back, before = behind(), time.time(), committed()
            options.say(f"it is back; {backlog:,} messages wait")
            with SinkProcess(settings, address) as sink:
                sink.wait_until(lambda: behind() <= _CAUGHT_UP, "end of the backlog", _GIVE_UP_S)
                drained, taken = time.time() - back, committed() - before
        seen = effects.end()
        # On a busy machine the worker is behind as well; what it sends then is counted, too.
        worker.wait_until(lambda: worker.total("vipcare_lag") == 0, _GIVE_UP_S)
        with SinkProcess(settings, address) as sink:  # the rest, after the pace
            # Each partition with transactions ends in a marker, which is no message.
            markers = len(TABLE_OF) * settings.topics.partitions
            sink.wait_until(lambda: behind() <= markers, "last message", _GIVE_UP_S)
    return {
        "away_s": away_s,
        "backlog": backlog,
        "drained_s": round(drained, 1),
        "drained_messages_per_second": round(taken / drained),
        "with_sink": _between(seen, there, killed),
        "sink_away": _between(seen, killed + 1, back),
    }


def _behind(settings: Settings, committed: Callable[[], int]) -> Callable[[], int]:
    probe = KafkaProbe(librdkafka_config(settings.kafka), "vipcare-bench-probe")
    places = [(topic, n) for topic in TABLE_OF for n in range(partitions_of(settings.kafka, topic))]

    def behind() -> int:
        for _ in range(_PROBES):
            ends = probe.ends(places)
            if ends is not None:
                return sum(ends.values()) - committed()
        raise RuntimeError("Kafka does not answer")

    return behind


def _between(seen: list[Seen], since: float, until: float) -> dict[str, Any]:
    """The worker's latency in milliseconds, and its alerts a second."""
    found = figures([one for one in seen if one.caused < until], since)
    return {**found, "alerts_per_second": round(found["effects"] / (until - since), 1)}


def _compared(settings: Settings, address: Address) -> dict[str, Any]:
    """Row by row with the topics: messages that ClickHouse lacks, and rows it shows twice."""
    with client_of(address) as client:
        events = Counter(
            client.execute("SELECT partition, offset FROM events WHERE topic = 'bank.core'")
        )
        alerts = Counter(name for (name,) in client.execute("SELECT id FROM alerts"))
    sent = {(one.partition, one.offset) for one in read_topic(settings.kafka, TOPIC)}
    raised = {
        decode_effect(one.value or b"").id for one in read_topic(settings.kafka, "vip.alerts")
    }
    return {
        "events": len(sent),
        "alerts": len(raised),
        "missing_events": len(sent - set(events)),
        "missing_alerts": len(raised - set(alerts)),
        "doubled": sum(count > 1 for found in (events, alerts) for count in found.values()),
        "unknown": len(set(events) - sent) + len(set(alerts) - raised),
    }


def _part(found: dict[str, Any]) -> Part:
    there, away = found["with_sink"], found["sink_away"]
    wrong = {name: found[name] for name in _WRONG if found[name]}
    assert not wrong, f"ClickHouse and the topics differ: {wrong}"
    lines = [
        f"Sink away for {found['away_s']:g} s at {RATE:,} events/s:",
        f"  worker with the sink: p50 {there['p50']} ms, p99 {there['p99']}, "
        f"{there['alerts_per_second']} alerts/s",
        f"  worker while it is away: p50 {away['p50']} ms, p99 {away['p99']}, "
        f"{away['alerts_per_second']} alerts/s",
        f"  back: {found['backlog']:,} messages drained in {found['drained_s']} s "
        f"(at most {DRAIN_LIMIT_S:g} s wanted), {found['drained_messages_per_second']:,}/s, "
        f"beside {RATE:,} new ones/s",
        f"  {found['events']:,} events and {found['alerts']:,} alerts: none missing or double",
    ]
    return Part({"sink_away": found}, lines)


if __name__ == "__main__":
    run_alone(measure)
