"""The sizes of customer records with the whole 360°, and the changelog's bytes an event.

The simulated bank lives three months with the rules that are shipped; then, for another month, its
events are stepped in the order of their coming, in chunks as a worker that keeps up takes them, and
every changed record counts once a chunk, as it does in the changelog. No broker: it is the core's.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import takewhile

from agents.bank.message import Message
from agents.bank.simulation import Plan, messages
from schemas.packed import pack
from schemas.record import Record
from streams.chunk import apply_chunk, merge
from streams.context import Context
from streams.durations import DAY_MS
from streams.inputs import Raw
from streams.intake import Entry, read
from tests.bench.parts.part import Options, Part, percentile, run_alone
from tests.bench.throughput.bank import context_of
from tests.shipped import shipped_rules

CUSTOMERS = 300
HISTORY_DAYS = 90
MEASURED_DAYS = 30
CHUNK = 20
"""Events of a chunk: of a worker that keeps up, few."""
_ORIGIN = 1_748_822_400_000


def measure(options: Options) -> Part:
    context = context_of(shipped_rules(), partitions=1)
    records: dict[str, Record] = {}
    split = _ORIGIN - MEASURED_DAYS * DAY_MS
    lived: list[Entry] = []
    last: list[Entry] = []
    for one in _history(options.scaled(CUSTOMERS)):
        entry = _read(one, len(lived) + len(last), context)
        (last if one.at >= split else lived).append(entry)
    _step(lived, records, context)
    sent = _step(last, records, context)
    stored = sorted(len(one.stored or b"") for one in records.values())
    figures: dict[str, object] = {
        "record_bytes_p50": percentile(stored, 50),
        "record_bytes_p99": percentile(stored, 99),
        "changelog_bytes_an_event": sent // max(1, len(last)),
        "record_parts_bytes": _parts(records),
    }
    return Part(
        {"records": {**figures, "customers": len(stored), "events": len(last)}},
        (
            f"records of {len(stored)} customers after {HISTORY_DAYS} days: half have up to "
            f"{figures['record_bytes_p50']:,} bytes, 99% up to {figures['record_bytes_p99']:,}; "
            f"the changelog gets {figures['changelog_bytes_an_event']:,} bytes an event "
            f"in chunks of {CHUNK}",
        ),
    )


def _history(customers: int) -> Iterator[Message]:
    plan = Plan(
        origin=_ORIGIN,
        seed=7,
        customers=customers,
        history_days=HISTORY_DAYS,
        rate=1.0,
        pace=1.0,
        duplicates=0.01,
        late=0.005,
        broken=0.002,
    )
    return takewhile(lambda one: one.at < _ORIGIN, messages(plan))


def _read(one: Message, offset: int, context: Context) -> Entry:
    return read(Raw(one.topic, 0, offset, one.key, one.value), context.settings)


def _step(entries: list[Entry], records: dict[str, Record], context: Context) -> int:
    """Step all entries; returns the bytes that the changelog got of records."""

    def load(customer: str) -> Record:
        return records.get(customer) or Record(customer)

    sent = 0
    for start in range(0, len(entries), CHUNK):
        buffers = defaultdict(list)
        for entry in entries[start : start + CHUNK]:
            buffers[entry.raw.topic].append(entry)
        changed = apply_chunk(merge(buffers, context), load, context).records
        records.update(changed)
        sent += sum(len(customer) + len(one.stored or b"") for customer, one in changed.items())
    return sent


def _parts(records: Mapping[str, Record]) -> dict[str, int]:
    """What the largest parts take in an average record."""
    sizes: Counter[str] = Counter()
    for record in records.values():
        for section in (record.profile, record.activity):
            for name in section.__struct_fields__:
                sizes[name] += len(pack(getattr(section, name)))
    return {name: size // len(records) for name, size in sizes.most_common(8)}


if __name__ == "__main__":
    run_alone(measure)
