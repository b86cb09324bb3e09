"""The plan of a chunk, without I/O: in which order its messages count, and what they make.

A chunk is one contiguous range of each topic of a partition. Its order is a function of the
ranges alone, so whoever takes the same ranges (a replay, the oracle) gets the same order.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice

from msgspec import Struct

from schemas.dead_letters import DeadLetter, Reason
from schemas.effects import Effect
from schemas.filling import Fill
from schemas.record import MAX_RECORD_BYTES, Record
from streams.announced import Announced
from streams.base_amounts import LargeBaseAmountError, NoBaseAmountError
from streams.broadcasts import NO_ROUND, Pending, Round, for_newcomer, running
from streams.context import Context
from streams.effects import MAX_EFFECT_BYTES, OversizeError
from streams.filling import fill
from streams.growth import ACTION_BYTES, GROWTH_BYTES, GROWTH_FACTOR, bounded, growth
from streams.inputs import Input, Raw
from streams.intake import Entry, reject
from streams.mirror import Told
from streams.step import ConflictError, Stepped, fire, receive, step


@dataclass(slots=True)
class Outcome:
    """What a chunk made; nothing of it is sent or stored yet."""

    records: dict[str, Record] = field(default_factory=dict)
    """Customer → the changed record; its `stored` is the new encoded form."""
    effects: list[Effect] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    """The effects as they are sent, beside them."""
    dead_letters: list[DeadLetter] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    """Events of other customers, for `vip.internal`."""
    fills: list[Fill] = field(default_factory=list)
    """Those that say that all customers of the partition have theirs."""
    dues: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Customer → the earliest timer before the chunk and after it: where that changed, and of those
    whose timers were asked for. One of them may wait at the same time again, if an event in the
    chunk set another timer for it."""
    counts: Counter[str] = field(default_factory=Counter)
    """applied, duplicates, late, timers, told (broadcasts), undeclared (attributes), filled
    (customers' windows), unknown:TYPE,
    dead:REASON, fired:RULE, shadow:RULE, held_out:RULE, amended:RULE, retracted:RULE,
    rule_failures:RULE."""


def merge(
    buffers: Mapping[str, Sequence[Entry]],
    context: Context,
    max_entries: int | None = None,
    max_bytes: int | None = None,
    more: Collection[str] = (),
) -> list[Entry]:
    """A prefix of each topic's buffer, in the order in which they count.

    The order is by (running maximum of event time within the range, topic, offset). What is
    broken or dated in the future has no time of its own and moves nothing. At least one entry is
    taken, however large; and none beyond the end of a buffer of which there is `more` to come,
    since that may count before it.
    """
    held = [(topic, entries) for topic, entries in sorted(buffers.items()) if entries]
    if len(held) == 1:
        ordered: Iterable[Entry] = held[0][1]
    else:
        # Each topic is in order already, and what is further back is not looked at.
        keyed = [_keyed(topic, entries, context.horizon) for topic, entries in held]
        ordered = (entry for *_, entry in heapq.merge(*keyed))
    first = list(islice(ordered, max_entries))
    if max_bytes is not None:
        first = first[: _fitting(first, max_bytes)]
    return first[: _known(first, {topic: len(buffers[topic]) for topic in more})]


def _keyed(
    topic: str, entries: Iterable[Entry], horizon: int
) -> Iterator[tuple[int, str, int, Entry]]:
    """Entries behind what they are ordered by; the offset decides at last, never the entry."""
    latest = -1
    for entry in entries:
        event = entry.input
        if event is not None and latest < event.at <= horizon:
            latest = event.at
        yield latest, topic, entry.raw.offset, entry


def _fitting(entries: Iterable[Entry], max_bytes: int) -> int:
    """How many of the first entries are within the limit: at least one."""
    sizes = accumulate(len(entry.raw.value or b"") for entry in entries)
    return max(1, sum(size <= max_bytes for size in sizes))


def _known(entries: Sequence[Entry], held: Mapping[str, int]) -> int:
    """How many of the first entries there are up to the last one that is held of a topic."""
    left = {topic: count for topic, count in held.items() if 0 < count <= len(entries)}
    if left:
        for number, entry in enumerate(entries, 1):
            topic = entry.raw.topic
            if topic in left:
                left[topic] -= 1
                if left[topic] == 0:
                    return number
    return len(entries)


def apply_chunk(
    entries: Sequence[Entry],
    load: Callable[[str], Record],
    context: Context,
    due: Sequence[str] = (),
    round_: Round = NO_ROUND,
) -> Outcome:
    """Step a chunk's entries, in their order, on records in memory.

    First the timers of the customers in `due` are fired up to the partition's time, then those of
    the round are told of its first broadcast; then, before each event, the timers of its customer
    are fired up to the event's time, so that what ends a wait counts by its own time; those that
    wait for an answer up to the partition's time, since it may be on its way. Whoever is touched is
    told first what is under way, whoever is new is told at last all that is running.

    `load` gives a customer's live record (a new one if there is none); it is changed in place,
    and belongs to `Outcome.records` afterwards. A fold that fails makes its event a dead letter
    and leaves no trace in the record.
    """
    chunk = _Chunk(load, context, round_)
    for customer in due:
        chunk.fire(customer, context.partition_time)
    chunk.walk(round_)
    for entry in entries:
        chunk.take(entry)
    return chunk.finish()


class _Touched(Struct):
    """A customer's record within a chunk, and what brings it back to a point within the chunk."""

    record: Record
    was_customer: bool
    """Before the chunk."""
    due: int
    """Its earliest timer before the chunk."""
    restored: bytes | None
    """As it was when it was brought back last; at first before the chunk."""
    applied: list[Input | int | Pending | Fill] = []
    """Since then: events, times up to which timers were fired, what it was told of and filled
    with."""
    changed: bool = False
    bound: int = 0
    """The encoded record is not larger than this, the rules' reserve apart."""

    def note(self, applied: Input | int | Pending | Fill) -> None:
        self.applied.append(applied)
        self.changed = True


class _Chunk:
    def __init__(self, load: Callable[[str], Record], context: Context, round_: Round) -> None:
        self._load = load
        self._context = context
        self._horizon = context.horizon
        self._touched: dict[str, _Touched] = {}
        self._asked: set[str] = set()
        self._outcome = Outcome()
        self._pending = round_.pending
        self._running: list[Announced] | None = None
        """What is told and not under way any more, once somebody came."""
        self._first, self._reached = round_.first, round_.after

    def take(self, entry: Entry) -> None:
        event = entry.input
        if entry.problem is not None:
            self._bury(entry.problem)
        elif entry.fill is not None:
            self._fill(entry.raw, entry.fill)
        elif event is None:
            self._outcome.counts[f"unknown:{entry.unknown}"] += 1
        elif event.at > self._horizon:
            detail = "time is ahead of the bank clock by more than the tolerance"
            self._bury(reject(entry.raw, Reason.FUTURE, detail, event.event))
        else:
            if entry.undeclared:
                self._outcome.counts["undeclared"] += entry.undeclared
            self._step(entry.raw, event)

    def finish(self) -> Outcome:
        for newcomer in self._newcomers():
            self._welcome(newcomer)
        for customer, touched in self._touched.items():
            if touched.changed:
                record = touched.record
                record.store()
                self._outcome.records[customer] = record
                after = record.header.next_due
                if after != touched.due or customer in self._asked:
                    self._outcome.dues[customer] = touched.due, after
        return self._outcome

    def _newcomers(self) -> Sequence[_Touched]:
        """Who became a customer in this chunk, by name: a walk may look at a record that is there
        for others alone, before its own events do, and a replay need not look at the same ones."""
        came = [
            touched
            for touched in self._touched.values()
            if touched.changed and touched.record.header.is_customer and not touched.was_customer
        ]
        return sorted(came, key=lambda touched: touched.record.customer)

    def fire(self, customer: str, until: int) -> None:
        """Fire what is due of a customer's timers."""
        self._asked.add(customer)
        touched = self._touch(customer)
        if self._pending and touched.was_customer:
            self._catch_up(touched)
        self._fire(touched, until)

    def walk(self, round_: Round) -> None:
        """Tell the slice's customers of the first broadcast. Whoever is not moved by it stays as it
        was: the place says that it was told. Who is only named by others is not told."""
        head = self._pending[0] if self._pending else None
        if head is not None and head.number == self._first:
            for customer in round_.visit:
                touched = self._touch(customer)
                header = touched.record.header
                if header.is_customer and header.last_broadcast < head.number:
                    self._receive(touched, head, mark=False)
        if round_.upto is not None:
            self._reached = round_.upto
        else:
            self._pending = tuple(one for one in self._pending if one.number != self._first)
            self._first, self._reached = 0, ""

    def _welcome(self, touched: _Touched) -> None:
        """Tell a new customer of what is running: first of what the walk is over for."""
        if self._running is None:
            names = {one.told.name for one in self._pending}
            self._running = [one for one in running(self._context) if one.name not in names]
        for one in self._running:
            self._receive(touched, for_newcomer(one, touched.record), mark=False)
        self._catch_up(touched)

    def _catch_up(self, touched: _Touched) -> None:
        """Tell a customer of everything under way that it was not told of. One that came in this
        chunk was not there when the walk passed."""
        passed = touched.was_customer and touched.record.customer <= self._reached
        for one in self._pending:
            if one.number == self._first and passed:
                continue
            if touched.record.header.last_broadcast < one.number:
                self._receive(touched, one, mark=True)

    def _receive(self, touched: _Touched, one: Pending, *, mark: bool) -> None:
        self._fire(touched, one.told.at)
        stepped = receive(touched.record, one, self._context, mark=mark)
        if stepped.applied:
            touched.note(one)
            touched.bound += ACTION_BYTES * len(stepped.fired)
            touched.bound += MAX_RECORD_BYTES if stepped.armed or stepped.failed else 0
        self._outcome.counts["told"] += 1
        self._tell(stepped)

    def _fire(self, touched: _Touched, until: int) -> None:
        if 0 <= touched.record.header.next_due <= until:
            stepped = fire(touched.record, until, self._context)
            if not stepped.applied:
                return
            touched.note(until)
            touched.bound += ACTION_BYTES * len(stepped.fired)
            touched.bound += MAX_RECORD_BYTES if stepped.failed else 0
            self._outcome.counts["timers"] += 1
            self._tell(stepped)

    def _step(self, raw: Raw, event: Input) -> None:
        touched = self._touch(event.event.subject)
        if self._pending and touched.was_customer:
            self._catch_up(touched)
        self._fire(touched, min(event.at, self._context.now))
        try:
            stepped = step(touched.record, event, self._context)
            if stepped.applied:
                size, rules = len(raw.value or b""), self._context.rules
                self._grow(touched, growth(event, size, stepped, rules))
                _check_summary(stepped)
        except ConflictError as error:
            self._bury(reject(raw, Reason.CONFLICT, str(error), event.event))
        except NoBaseAmountError as error:
            self._bury(reject(raw, Reason.NO_BASE_AMOUNT, str(error), event.event))
        except LargeBaseAmountError as error:
            self._bury(reject(raw, Reason.BROKEN, str(error), event.event))
        except OversizeError as error:
            self._restore(touched)
            self._bury(reject(raw, Reason.OVERSIZE, str(error), event.event))
        except Exception as error:  # whatever a fold raises, only its event is lost
            self._restore(touched)
            self._bury(reject(raw, Reason.FAILED, failed_fold(event, error), event.event))
        else:
            if stepped.applied:
                touched.note(event)
            self._note(stepped)

    def _fill(self, raw: Raw, one: Fill) -> None:
        if not one.subject:
            self._outcome.fills.append(one)
            return
        touched = self._touch(one.subject)
        try:
            if not fill(touched.record, one, self._context):
                return
            self._grow(touched, GROWTH_FACTOR * len(raw.value or b"") + GROWTH_BYTES)
        except OversizeError as error:
            self._restore(touched)
            self._bury(reject(raw, Reason.OVERSIZE, str(error)))
        except Exception as error:  # as of an event, only what came is lost
            self._restore(touched)
            detail = f"filling windows raised {type(error).__name__}"
            self._bury(reject(raw, Reason.FAILED, detail))
        else:
            touched.note(one)
            self._outcome.counts["filled"] += 1

    def _touch(self, customer: str) -> _Touched:
        touched = self._touched.get(customer)
        if touched is None:
            record = self._load(customer)
            header, size = record.header, len(record.stored or b"")
            touched = _Touched(
                record, header.is_customer, header.next_due, record.stored, bound=size
            )
            self._touched[customer] = touched
        return touched

    def _note(self, stepped: Stepped) -> None:
        counts = self._outcome.counts
        if not stepped.applied:
            counts["duplicates"] += 1
            return
        counts["applied"] += 1
        if stepped.late:
            counts["late"] += 1
        if stepped.told is not None:
            self._outcome.told.append(stepped.told)
        if stepped.fired or stepped.failed or stepped.effects:
            self._tell(stepped)

    def _tell(self, stepped: Stepped) -> None:
        counts = self._outcome.counts
        counts.update(stepped.fired)
        for rule in stepped.failed:
            counts[f"rule_failures:{rule}"] += 1
        self._outcome.effects.extend(stepped.effects)
        self._outcome.encoded.extend(stepped.encoded)

    def _grow(self, touched: _Touched, more: int) -> None:
        """Raises OversizeError."""
        touched.bound = bounded(touched.record, touched.bound + more, self._context.rules)

    def _restore(self, touched: _Touched) -> None:
        """Back to the bytes of the last time, then the customer's inputs since then again: each is
        stepped twice at most, however many fail."""
        touched.record = Record(touched.record.customer, touched.restored)
        for earlier in touched.applied:
            if isinstance(earlier, int):
                fire(touched.record, earlier, self._context)
            elif isinstance(earlier, Pending):
                receive(touched.record, earlier, self._context, mark=True)
            elif isinstance(earlier, Fill):
                fill(touched.record, earlier, self._context)
            else:
                step(touched.record, earlier, self._context)
        if touched.applied:
            touched.restored = touched.record.encode()
            touched.applied.clear()
        touched.bound = len(touched.restored or b"")

    def _bury(self, letter: DeadLetter) -> None:
        self._outcome.dead_letters.append(letter)
        self._outcome.counts[f"dead:{letter.reason}"] += 1


def failed_fold(event: Input, error: Exception) -> str:
    """The error's type alone: its text may quote the event."""
    return f"folding {event.type} raised {type(error).__name__}"


def _check_summary(stepped: Stepped) -> None:
    """Raises OversizeError if it would not be taken; what rules make is smaller, see effects_of."""
    for effect, value in zip(stepped.effects, stepped.encoded, strict=True):
        if len(value) > MAX_EFFECT_BYTES:
            raise OversizeError(
                f"{effect.id} would have {len(value)} bytes, at most {MAX_EFFECT_BYTES} are sent"
            )
