"""What a chunk sends, and the producer that sends it: steps 3 to 5 of a chunk, in their order.

Each partition runner has one producer and one thread: begin, produce, commit and the write to the
local store run there, first in, first out, while the runner steps its next chunk.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from confluent_kafka import KafkaError, KafkaException, Producer
from msgspec import Struct

from agents.fail_points import fail_point
from agents.faults import Fault, die
from agents.lane.store import StoreClosedError
from schemas.position import JOURNAL_TOPIC

_CONNECT_S = 2.0
_INIT_TIMEOUT_S = 60.0
_COMMIT_TIMEOUT_S = 2.0
_CAUSE_S = 1.0
_FENCED = frozenset(
    (
        KafkaError._FENCED,  # librdkafka's public name for it
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
    )
)


class Message(Struct, frozen=True, gc=False):
    topic: str
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]] | None = None
    partition: int | None = None
    """None is the producer's own."""


@dataclass(slots=True)
class Batch:
    """What one chunk sends. The position is the changelog's last message."""

    effects: list[Message] = field(default_factory=list)
    """Effects, dead letters, and what other customers are told."""
    changes: list[Message] = field(default_factory=list)
    """The changed records and the journal's entry."""
    position: Message | None = None


class Sent(NamedTuple):
    """A chunk that is committed and stored. Durations in seconds."""

    offset: int
    """The changelog offset of its position."""
    commit: float
    store: float


class AbandonedError(Exception):
    """The partition was given away while this was under way; nobody waits for it any more."""


class Outbox:
    """The producer of one partition number. Faults end the process, unless it was abandoned."""

    def __init__(
        self,
        config: dict[str, Any],
        partition: int,
        explain: Callable[[KafkaError], str] = KafkaError.str,
    ) -> None:
        self._config = config
        self._explain = explain
        self._partition = partition
        self._transactional = "transactional.id" in config
        self._abandoned = False
        self._producer: Producer | None = None
        self._offset = -1
        self._refused: KafkaError | None = None
        self.waits_for_kafka = False
        """Kafka has not taken yet what it was asked to, and is asked again."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"outbox-{partition}")

    async def open(self) -> None:
        """Become the only writer of this partition: earlier owners are fenced from here on."""
        await asyncio.wrap_future(self._thread.submit(self._guarded, self._open))

    def send(self, batch: Batch, store: Callable[[int], None]) -> "Future[Sent]":
        """Commit a batch, then call `store` with the changelog offset of its position."""
        return self._thread.submit(self._guarded, lambda: self._send(batch, store))

    async def drain(self, timeout_s: float) -> bool:
        """Let what is under way end, and take no more. False: it was given up.

        What is given up is no fault of this process any more, however it ends.
        """
        last = asyncio.wrap_future(self._thread.submit(lambda: None))
        self._thread.submit(self._release)
        self._thread.shutdown(wait=False)
        try:
            await asyncio.wait_for(asyncio.shield(last), timeout_s)
        except TimeoutError:
            self._abandoned = True
            return False
        return True

    def _guarded(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except StoreClosedError:
            raise AbandonedError from None
        except KafkaException as error:
            if self._abandoned:
                raise AbandonedError from error
            self._die(self._cause(error.args[0]))
        except AbandonedError:
            raise
        except Exception as error:  # RocksDB raises plain Exception
            die(Fault.STORE, f"partition {self._partition}: the local store failed: {error}")

    def _cause(self, error: KafkaError) -> KafkaError:
        """A produce after a fatal error says only that there was one, or, just as it happens, that
        the state is erroneous; the transaction knows the cause, and begins no other: at once, or
        once librdkafka's own thread has come so far."""
        said_only_that = (KafkaError._FATAL, KafkaError._STATE)  # librdkafka's, as above
        until = time.monotonic() + _CAUSE_S
        while error.code() in said_only_that and self._transactional and time.monotonic() < until:
            try:
                self._kafka.begin_transaction()
            except KafkaException as told:
                error = cast(KafkaError, told.args[0])
            time.sleep(_CAUSE_S / 20)
        return error

    def _die(self, error: KafkaError) -> None:
        if error.code() in _FENCED:
            die(
                Fault.FENCED,
                f"partition {self._partition}: another worker took over while this one was away; "
                "starting again is safe",
            )
        die(Fault.KAFKA, f"partition {self._partition}: Kafka refused: {self._explain(error)}")

    def _open(self) -> None:
        self._producer = Producer(self._config, logger=logging.getLogger("librdkafka"))
        if self._transactional:
            # One that is connected initialises its transactions in 10-100 ms; else a timer of
            # librdkafka's passes first, of 500 ms.
            with contextlib.suppress(KafkaException):
                self._kafka.list_topics(JOURNAL_TOPIC, timeout=_CONNECT_S)
            self._repeat(lambda: self._kafka.init_transactions(_INIT_TIMEOUT_S))

    def _release(self) -> None:
        """Here, as the end of a producer waits for its threads and connections."""
        self._producer = None

    @property
    def _kafka(self) -> Producer:
        assert self._producer is not None, "opened first"
        return self._producer

    def _send(self, batch: Batch, store: Callable[[int], None]) -> Sent:
        assert batch.position is not None
        begun = time.perf_counter()
        self._offset, self._refused = -1, None
        if self._transactional:
            self._kafka.begin_transaction()
            fail_point("transaction-begun")
            self._produce(batch.changes, batch.position)
            fail_point("changes-produced")
            self._produce(batch.effects)
            fail_point("before-commit")
            # After a commit was asked for, nothing is aborted: only the same is asked again.
            self._repeat(lambda: self._kafka.commit_transaction(_COMMIT_TIMEOUT_S))
        else:
            self._produce(batch.effects)
            self._flush()
            self._produce(batch.changes, batch.position)
            self._flush()
        committed = time.perf_counter()
        fail_point("committed")
        store(self._offset)
        fail_point("stored")
        return Sent(self._offset, committed - begun, time.perf_counter() - committed)

    def _produce(self, messages: Iterable[Message], last: Message | None = None) -> None:
        # Without transactions, failures are told to the callback alone.
        report = None if self._transactional else self._delivered
        produce, partition = self._kafka.produce, self._partition
        for message in messages:
            if report is None and message.headers is None and message.partition is None:
                # Nearly all messages, so this one line is worth its own way.
                try:
                    produce(message.topic, message.value, message.key, partition)
                except BufferError:
                    self._produce_one(message, report)
            else:
                self._produce_one(message, report)
        if last is not None:
            self._produce_one(last, self._positioned)

    def _produce_one(self, message: Message, report: Callable[[Any, Any], None] | None) -> None:
        while True:
            try:
                self._kafka.produce(
                    message.topic,
                    message.value,
                    message.key,
                    self._partition if message.partition is None else message.partition,
                    on_delivery=report,
                    headers=cast(Any, message.headers),
                )
            except BufferError:
                self.waits_for_kafka = True
                self._kafka.poll(0.05)
            else:
                return

    def _delivered(self, error: KafkaError | None, _message: Any) -> None:
        self._refused = self._refused or error

    def _positioned(self, error: KafkaError | None, message: Any) -> None:
        self._refused = self._refused or error
        if error is None:
            self._offset = message.offset()

    def _repeat(self, call: Callable[[], None]) -> None:
        """Make a call until it is through; raises what is not worth repeating."""
        while True:
            try:
                call()
            except KafkaException as failure:
                error = failure.args[0]
                timed_out = error.code() == KafkaError._TIMED_OUT  # as above
                if self._abandoned or not (error.retriable() or timed_out):
                    raise
                self.waits_for_kafka = True
            else:
                self.waits_for_kafka = False
                return

    def _flush(self) -> None:
        while self._kafka.flush(_COMMIT_TIMEOUT_S):
            self.waits_for_kafka = True
            if self._abandoned:
                raise AbandonedError
        self.waits_for_kafka = False
        if self._refused is not None:
            raise KafkaException(self._refused)
