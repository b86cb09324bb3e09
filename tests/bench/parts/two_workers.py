"""What a second worker adds on this machine, where broker and workers share the cores.

The inputs are there already, on 4 partitions. Counted is what is taken while every partition still
has something left: from the moment when all workers are ready with their shares until the first
partition has nothing left.
"""

import time
from contextlib import ExitStack
from itertools import islice

from config.settings import Settings
from tests.bench.parts.journal import Chunk, follow
from tests.bench.parts.part import Options, Part, run_alone, scratch
from tests.bench.parts.traffic import send_all, uniform
from tests.lane.process import Worker, changed

CUSTOMERS = 20_000
EVENTS = 400_000


def measure(options: Options) -> Part:
    one, two = (_rate(options, workers) for workers in (1, 2))
    ratio = round(two / one, 2)
    return Part(
        {"two_workers": {"rate_ratio": ratio, "one": round(one), "two": round(two)}},
        [f"Two workers: {two:,.0f} events/s, one: {one:,.0f}: x {ratio} on this machine"],
    )


def _rate(options: Options, workers: int) -> float:
    options.say(f"{workers} at work")
    with scratch() as settings, ExitStack() as stack:
        sent = send_all(settings.kafka, islice(uniform(CUSTOMERS), options.scaled(EVENTS)), "two")
        team = [stack.enter_context(Worker(_own(settings, n))) for n in range(workers)]
        chunks = []
        settled = 0.0
        for chunk in follow(settings, sent):
            chunks.append(chunk)
            settled = settled or _settled(team, settings.topics.partitions // workers)
        return _while_all_work(chunks, settled)


def _own(settings: Settings, number: int) -> Settings:
    return changed(settings, "worker", data=settings.worker.data.with_name(f"worker-{number}"))


def _settled(team: list[Worker], share: int) -> float:
    """Now, in epoch milliseconds, if all are ready with their shares, else 0."""
    told = [worker.metrics() for worker in team]
    ready = all(
        one.get("vipcare_ready") == 1 and one.get("vipcare_partitions") == share for one in told
    )
    return time.time() * 1_000 if ready else 0.0


def _while_all_work(chunks: list[Chunk], settled: float) -> float:
    """Events a second from `settled` until the first partition's last chunk."""
    last = {chunk.partition: chunk.at for chunk in chunks}
    end = min(last.values())
    if not 0 < settled < end:
        raise RuntimeError("a partition had nothing left before all were ready: more events")
    taken = sum(chunk.taken for chunk in chunks if settled <= chunk.at <= end)
    return taken / (end - settled) * 1_000


if __name__ == "__main__":
    run_alone(measure)
