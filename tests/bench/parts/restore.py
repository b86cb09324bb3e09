"""How fast a worker with an empty disk restores records of 1 KB from the changelog.

400,000 records of exactly 1,024 bytes stand in the changelog, written as a worker writes them.
The time is the worker's own: from its assignment to ready, so fencing the earlier owner, opening
the local copies and seeking the inputs are in it. 4 partitions, one worker.
"""

from tests.bench.parts.customers import RECORD_BYTES, preload
from tests.bench.parts.drain import cpu_seconds
from tests.bench.parts.part import Options, Part, run_alone, scratch
from tests.lane.process import Worker

CUSTOMERS = 400_000


def measure(options: Options) -> Part:
    with scratch() as settings:
        customers = options.scaled(CUSTOMERS)
        options.say(f"writing {customers:,} records of {RECORD_BYTES} bytes")
        preload(settings, customers)
        options.say("restoring them")
        with Worker(settings) as worker:
            metrics = worker.wait_ready(settings.topics.partitions).metrics()
            cpu = cpu_seconds(worker)
            worker.stop()
    restored = metrics["vipcare_restored_records_total"]
    seconds = metrics["vipcare_restore_seconds"]
    figures = {
        "records": round(restored),
        "record_bytes": RECORD_BYTES,
        "seconds": round(seconds, 2),
        "process_cpu_seconds": round(cpu, 2),
    }
    return Part(
        {"restore_records_per_s": round(restored / seconds), "restore": figures},
        [
            f"Restore: {restored:,.0f} records of {RECORD_BYTES:,} bytes from assignment to ready "
            f"in {seconds:.1f} s: {restored / seconds:,.0f} records/s",
        ],
    )


if __name__ == "__main__":
    run_alone(measure)
