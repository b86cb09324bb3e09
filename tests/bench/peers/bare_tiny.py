"""The bare loop's work on a batch of the workload `tiny`."""

from collections.abc import Sequence

from confluent_kafka import Message
from rocksdict import Rdict

from tests.bench.peers.care import Sent
from tests.bench.peers.tally import NOTHING, add, alert, parse
from tests.bench.peers.task import ALERTS


class Tiny:
    """A sum and a count a customer."""

    def __call__(
        self, batch: Sequence[Message], store: Rdict
    ) -> tuple[dict[bytes, bytes], list[Sent]]:
        keys = list({one.key() for one in batch})
        states = {key: found or NOTHING for key, found in zip(keys, store.get(keys), strict=True)}
        made: list[Sent] = []
        for one in batch:
            key, transfer = one.key(), parse(one.value())
            states[key], count, total, large = add(states[key], transfer)
            if large:
                made.append((ALERTS, key, alert(key.decode(), transfer, count, total)))
        return states, made
