"""The bare loop's work on a batch of the workload `bank`: our step, and a cache of records."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from confluent_kafka import Message
from rocksdict import Rdict

from schemas.record import Record
from streams.inputs import Raw
from tests.bench.peers.care import Care, Sent, sent
from tests.bench.peers.task import Task


class Bank:
    """Keeps the records used last decoded."""

    def __init__(self, task: Task) -> None:
        self._care = Care(task)
        self._kept: OrderedDict[str, Record] = OrderedDict()
        self._most = task.cached_records

    def __call__(
        self, batch: Sequence[Message], store: Rdict
    ) -> tuple[dict[bytes, bytes], Iterable[Sent]]:
        kept = self._kept

        def load(customer: str) -> Record:
            record = kept.get(customer)
            if record is None:
                record = kept[customer] = Record(customer, store.get(customer.encode()))
            else:
                kept.move_to_end(customer)
            return record

        raws = [
            Raw(one.topic(), one.partition(), one.offset(), one.key(), one.value()) for one in batch
        ]
        outcome = self._care.many(raws, load)
        # A fold that failed gives its record anew.
        kept.update(outcome.records)
        while len(kept) > self._most:
            kept.popitem(last=False)
        changes = {
            customer.encode(): record.stored
            for customer, record in outcome.records.items()
            if record.stored is not None
        }
        return changes, sent(outcome)
