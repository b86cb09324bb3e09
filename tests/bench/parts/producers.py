"""What one transactional producer a partition costs: 4, 16 and 32 partitions in one worker.

The same events each time. Threads, connections and memory are those of the worker's process
while it works: connections are established TCP sockets, memory is the resident set at its end.
"""

from itertools import islice

from tests.bench.parts.drain import Drained, drain
from tests.bench.parts.part import Options, Part, run_alone, scratch
from tests.bench.parts.traffic import send_all, uniform

PARTITIONS = (4, 16, 32)
CUSTOMERS = 20_000
EVENTS = 120_000
_A_PARTITION = 8_000


def measure(options: Options) -> Part:
    runs = {number: _run(options, number) for number in PARTITIONS}
    rows = [{"partitions": number, **run.figures()} for number, run in runs.items()]
    lines = ["Producers, one a partition (worker's process):"]
    lines += [
        f"  {number:2} partitions: {run.threads} threads, {run.connections} connections, "
        f"{run.memory_mb:.0f} MB, {run.rate:,.0f} events/s, {run.cpu_us:.1f} µs CPU an event"
        for number, run in runs.items()
    ]
    return Part({"producers": rows}, lines)


def _run(options: Options, partitions: int) -> Drained:
    options.say(f"{partitions} partitions")
    with scratch(partitions) as settings:
        # Several chunks of the greatest size for each partition, in a trial too.
        events = max(options.scaled(EVENTS), _A_PARTITION * partitions)
        sent = send_all(settings.kafka, islice(uniform(CUSTOMERS), events), "many")
        return drain(settings, sent, warm=sent // 4)


if __name__ == "__main__":
    run_alone(measure)
