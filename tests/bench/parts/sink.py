"""The sink draining filled topics, beside the raw driver inserting the very same rows.

Both write to the same local ClickHouse, in batches of as many rows, in turn. The raw driver has its
columns ready before the clock starts, decodes nothing and reads no Kafka. Its values are what a
plain decoder makes of each event (the sink's twin in tests/sink); with the sink's own columns, in
which equal values are one object, it is measured as well. It sends every column, the sink none that
is NULL in a whole batch. Events are those of the simulated bank. The first fifth of each run is
left out. What decodes is one interpreter's work, so two sinks of one group are measured, too.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import islice
from statistics import median
from typing import Any, NamedTuple

from agents.bank.plan import Plan
from agents.bank.simulation import messages
from agents.reading import read_topic
from config.settings import Settings
from schemas.events import INPUT_TOPICS
from sinks.clickhouse.address import Address, client_of
from sinks.clickhouse.batch import make_batch
from sinks.clickhouse.message import Message, Unstorable
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.render import count_rows
from sinks.clickhouse.tables import EVENTS
from sinks.clickhouse.writer import SETTINGS
from tests.bench.parts.part import Options, Part, run_alone, scratch
from tests.bench.parts.sinking import SinkProcess, await_members, clickhouse, group_places
from tests.bench.parts.traffic import Sender
from tests.bench.process import look
from tests.sink.taken import taken
from tests.sink.twin import event_row

MESSAGES = 300_000
_LEAST = 80_000
CUSTOMERS = 2_000
BATCH = 10_000
_ROUNDS = 3
_WARM = 0.2
_ORIGIN = 1_748_822_400_000
_LOOK_S = 0.05

Columns = list[list[Any]]


class Drain(NamedTuple):
    rate: float
    """Rows a second."""
    cpu_us: float
    """CPU microseconds a row, of the writing process alone."""


def measure(options: Options) -> Part:
    with scratch() as settings, clickhouse() as address:
        options.say("filling the topics")
        sent = _fill(settings, max(options.scaled(MESSAGES), _LEAST))
        batches = [*_batches(settings)]
        plain = [*map(_plain_columns, batches)]
        lean = [*map(_our_columns, batches)]
        rows = sum(len(columns[0]) for columns in plain)
        runs: dict[str, list[Drain]] = {"raw": [], "lean": [], "sink": [], "two": []}
        for number in range(_ROUNDS):
            options.say(f"round {number + 1} of {_ROUNDS}: {rows:,} rows")
            runs["raw"].append(_raw(address, plain, f"raw_{number}"))
            runs["lean"].append(_raw(address, lean, f"lean_{number}"))
            for name, members in (("sink", 1), ("two", 2)):
                runs[name].append(_sinks(settings, address, rows, f"{name}_{number}", members))
    return _part(sent, rows, runs)


def _fill(settings: Settings, count: int) -> int:
    plan = Plan(
        origin=_ORIGIN,
        seed=11,
        customers=CUSTOMERS,
        history_days=0,
        rate=1.0,
        pace=4.0,
        duplicates=0.01,
        late=0.005,
        broken=0.0015,
        mis_keyed=0.0005,
    )
    sender = Sender(settings.kafka, linger_ms=20)
    for one in islice(messages(plan), count):
        sender.send(one.topic, one.key, one.value)
    sender.flush()
    return count


def _batches(settings: Settings) -> Iterator[list[Message]]:
    """Every message of the topics, in the size of the sink's batches."""
    found = (
        Message(*one[:4], one.value, one.headers, one.key)
        for topic in INPUT_TOPICS
        for one in read_topic(settings.kafka, topic)
    )
    while batch := [*islice(found, BATCH)]:
        yield batch


def _plain_columns(batch: list[Message]) -> Columns:
    rows = []
    for message in batch:
        with suppress(Unstorable):
            rows.append(event_row(message))
    return [[*column] for column in zip(*rows, strict=True)]


def _our_columns(batch: list[Message]) -> Columns:
    rows = make_batch(taken(batch)).rows[EVENTS]
    return [[*column] if column else [None] * len(rows) for column in rows.columns]


def _raw(address: Address, batches: list[Columns], database: str) -> Drain:
    to = replace(address, database=database)
    migrate(to)
    warm = round(len(batches) * _WARM)
    rows = sum(len(columns[0]) for columns in batches)
    counted = sum(len(columns[0]) for columns in batches[warm:])
    with client_of(to) as client:
        for number, columns in enumerate(batches):
            if number == warm:
                begun, cpu = time.perf_counter(), time.process_time()
            client.execute(EVENTS.insert(), columns, columnar=True, settings=SETTINGS)
        ended, spent = time.perf_counter(), time.process_time() - cpu
    _check(to, rows)
    return Drain(counted / (ended - begun), spent / counted * 1e6)


def _sinks(settings: Settings, address: Address, rows: int, name: str, members: int) -> Drain:
    """Seen from outside, by what the group has committed: a look at its metrics would cost it."""
    to = replace(address, database=name)
    with ExitStack() as running:
        committed = running.enter_context(group_places(settings, name, INPUT_TOPICS))
        sinks = [
            running.enter_context(SinkProcess(settings, to, group=name, batch_rows=BATCH))
            for _ in range(members)
        ]
        await_members(settings, name, members)
        migrate(to)  # for which they wait, so that they begin together
        looks: list[tuple[float, float, float]] = []
        stored = 0
        while stored < rows:
            time.sleep(_LOOK_S)
            before, cpu = stored, sum(_cpu_seconds(one) for one in sinks)
            if (stored := committed()) != before:
                looks.append((time.perf_counter(), stored, cpu))
    _check(to, rows)
    # The last batch is not full, and waits for what does not come.
    first = next(one for one in looks if one[1] >= rows * _WARM)
    last = [one for one in looks if one[1] < rows - members * BATCH][-1]
    seconds, counted, cpu = (after - before for after, before in zip(last, first, strict=True))
    return Drain(counted / seconds, cpu / counted * 1e6)


def _cpu_seconds(sink: SinkProcess) -> float:
    seen = look(sink.process.pid)
    assert seen is not None, "the sink runs, and there is /proc"
    return seen.cpu_seconds


def _check(address: Address, rows: int) -> None:
    with client_of(address) as client:
        found = count_rows(client)["events"]
        client.execute(f"DROP DATABASE {address.database}")
    assert found == rows, f"{found} rows are there, {rows} were inserted"


def _ratios(ours: list[Drain], raw: list[Drain]) -> list[float]:
    return [round(one.rate / other.rate, 2) for one, other in zip(ours, raw, strict=True)]


def _part(sent: int, rows: int, runs: dict[str, list[Drain]]) -> Part:
    rates = {name: median(run.rate for run in found) for name, found in runs.items()}
    cpu = {name: median(run.cpu_us for run in found) for name, found in runs.items()}
    ratios = {name: _ratios(runs[name], runs["raw"]) for name in ("sink", "two")}
    figures = {
        "sink": {
            "messages": sent,
            "rows": rows,
            "batch_rows": BATCH,
            "rows_per_second": round(rates["sink"]),
            "raw_rows_per_second": round(rates["raw"]),
            "raw_our_columns_rows_per_second": round(rates["lean"]),
            "to_raw": median(ratios["sink"]),
            "to_raw_rounds": ratios["sink"],
            "two_to_raw": median(ratios["two"]),
            "two_to_raw_rounds": ratios["two"],
            "two_rows_per_second": round(rates["two"]),
            "cpu_us_per_row": round(cpu["sink"], 1),
            "raw_cpu_us_per_row": round(cpu["raw"], 1),
        }
    }
    lines = [
        f"Sink, {rows:,} events from Kafka into ClickHouse, {BATCH:,} a batch:",
        *(
            f"  raw driver, {which} ready: {rates[name]:,.0f} rows/s, {cpu[name]:.1f} µs CPU a row"
            for name, which in (("raw", "plain columns"), ("lean", "the sink's columns"))
        ),
        *(
            f"  {who}: {rates[name]:,.0f} rows/s, {cpu[name]:.1f} µs CPU a row: "
            f"{median(ratios[name]):.2f} of the raw driver "
            f"(rounds: {', '.join(map(str, ratios[name]))})"
            for name, who in (("sink", "sink"), ("two", "two sinks of one group"))
        ),
    ]
    return Part(figures, lines)


if __name__ == "__main__":
    run_alone(measure)
