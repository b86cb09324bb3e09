"""Absence: a rule's event came, and so long after it no event that answers it.

The condition was looked at when the event came, so what it showed is kept in the timer. Events come
in any order, an answer before what it answers, too: the last answers are remembered.

What was taken back is no answer, and nothing waits after it. So timers that ended by what may be
taken back are kept aside until they would have been due.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from struct import Struct as Layout
from typing import NamedTuple

from msgspec import Struct

from schemas.activity import ActivitySection, Timer
from schemas.envelope import Data
from schemas.events import REVERSIBLE
from schemas.record import Record
from streams import timers
from streams.expressions.nodes import Node
from streams.expressions.picks import Pick, compile_pick
from streams.expressions.values import present, render
from streams.fold.bounded import count_dropped, cut
from streams.inputs import Correction, Input

KIND = timers.ABSENCE
MAX_A_RULE = 8
"""So many timers of one rule wait for a customer."""
MAX_TIMERS = 32
"""So many of all rules."""
MAX_SHOWN = 16
"""So many values may such a rule show."""
VALUE_BYTES = 200
"""Of each of them."""
MAX_ANSWERS = 8
"""So many answers are remembered, of those that are alike for rules."""
MAX_ANSWERED = 8
"""So many timers are kept that were answered by what may be taken back."""
TIMER_BYTES = 512 + MAX_SHOWN * (VALUE_BYTES + 64)
"""More than a timer takes, its event's source and id not counted."""
ANSWER_BYTES = 256
"""More than remembering an answer takes."""

_SAME_BYTES = 8
_ENTRY = Layout(f">q{_SAME_BYTES}s")
_NOTHING = bytes(_SAME_BYTES)
"""What is the same in two events of which nothing need be."""
_NO_ANSWER = b"\xff" * _SAME_BYTES
"""The same as nothing: stands for an answer that was taken back."""


class Absence(Struct, frozen=True):
    """What a rule waits without."""

    rule: str
    length: int
    """Milliseconds."""
    types: tuple[str, ...]
    where: Node | None = None
    """Over an answer's own fields."""
    where_text: str = ""
    same: tuple[str, ...] = ()
    """Fields that are the same in both events."""

    @property
    def key(self) -> str:
        """Of what is remembered of its answers, by what they are: rules may share it."""
        named = repr((self.types, self.where_text, self.same)).encode()
        return blake2b(named, digest_size=8).hexdigest()


class Waiting(NamedTuple):
    """A rule whose condition held: it fires unless an answer comes."""

    absence: Absence
    values: Mapping[str, str]


class Listener(NamedTuple):
    """What is done with an event of a type that answers: once for all rules whose answers are
    alike."""

    key: str
    rules: frozenset[str]
    same: tuple[str, ...]
    answers: Callable[[Data], object]
    """None of one that is no answer."""


def listeners(absences: Iterable[Absence]) -> Iterator[tuple[str, Listener]]:
    """By the types of events that they listen to."""
    alike: dict[str, list[Absence]] = {}
    for one in absences:
        alike.setdefault(one.key, []).append(one)
    for key, group in alike.items():
        first = group[0]
        rules = frozenset(one.rule for one in group)
        answers = compile_pick(Pick(first.where))
        for event_type in first.types:
            yield event_type, Listener(key, rules, first.same, answers)


def answer(record: Record, event: Input, listening: Iterable[Listener]) -> None:
    """End the timers that an event answers, and remember it."""
    data, activity, at = event.event.data, record.activity, event.at
    ended: list[str] = []
    for one in listening:
        if one.answers(data) is None or (same := _same(data, one.same)) is None:
            continue
        _remember(activity, one.key, at, same)
        about = same.hex()
        for key, timer in activity.timers.items():
            if timer.about == about and timer.at <= at < timer.due and _is_of(key, one.rules):
                ended.append(key)
    if ended:
        for key in ended:
            gone = activity.timers.pop(key, None)
            if gone is not None and event.type in REVERSIBLE:
                _set_aside(activity, key, gone)
        timers.settle(record)


def take_back(record: Record, one: Correction, listening: Iterable[Listener]) -> None:
    """After an event was taken back, wholly or in part: nothing waits after it, and what it
    answered waits again, unless there is another answer or it is over."""
    activity, before = record.activity, one.before
    if one.after is None:
        for kept in (activity.timers, activity.answered):
            for key in [key for key, timer in kept.items() if _is_set_by(key, timer, before)]:
                del kept[key]
    for listener in listening:
        if listener.answers(before.event.data) is None or (
            one.after is not None and listener.answers(one.after.event.data) is not None
        ):
            continue
        same = _same(before.event.data, listener.same)
        if same is not None:
            _forget(activity, listener.key, before.at, same)
            _wait_again(activity, listener, before.at, same)
    timers.settle(record)


def _wait_again(activity: ActivitySection, listener: Listener, at: int, same: bytes) -> None:
    for key, timer in list(activity.answered.items()):
        is_mine = timer.about == same.hex() and timer.at <= at < timer.due
        if (
            is_mine
            and _is_of(key, listener.rules)
            and timer.due > activity.latest
            and not _is_answered(activity, listener.key, same, timer.at, timer.due)
        ):
            activity.timers[key] = activity.answered.pop(key)
            _bound(activity, timers.parts_of(key).rule)


def _set_aside(activity: ActivitySection, key: str, timer: Timer) -> None:
    """Those that are over go, and of more those that are over first."""
    kept = {**activity.answered, key: timer}
    last = sorted(kept, key=lambda one: (kept[one].due, one))[-MAX_ANSWERED:]
    activity.answered = {one: kept[one] for one in last if kept[one].due > activity.latest}


def begin(record: Record, event: Input, waiting: Waiting) -> None:
    """Set the timer of a rule whose condition held for an event, unless it is answered already."""
    absence, activity, at = waiting.absence, record.activity, event.at
    same, due = _same(event.event.data, absence.same), at + absence.length
    if same is not None and _is_answered(activity, absence.key, same, at, due):
        return
    key = timers.key_of(absence.rule, KIND, _name(event))
    shown = {name: cut(value, VALUE_BYTES) for name, value in waiting.values.items()}
    # What is unknown is the same as nothing else.
    about = "unknown" if same is None else same.hex()
    activity.timers[key] = timers.timer(event, about, due, values=shown)
    _bound(activity, absence.rule)
    timers.settle(record)


def _bound(activity: ActivitySection, rule: str) -> None:
    _trim(activity, {rule}, MAX_A_RULE)
    _trim(activity, None, MAX_TIMERS)


def _name(event: Input) -> str:
    named = repr((event.event.source, event.event.id)).encode()
    return blake2b(named, digest_size=8).hexdigest()


def _same(data: Data, fields: Sequence[str]) -> bytes | None:
    """What is to be the same, in few bytes; None if some of it is unknown."""
    if not fields:
        return _NOTHING
    found = [present(getattr(data, name)) for name in fields]
    if None in found:
        return None
    return blake2b(repr([render(one) for one in found]).encode(), digest_size=_SAME_BYTES).digest()


def _remember(activity: ActivitySection, key: str, at: int, same: bytes) -> None:
    before, this = activity.answers.get(key, b""), (at, same)
    if not before or _ENTRY.unpack_from(before, len(before) - _ENTRY.size) <= this:
        # Nearly always: it is the last one.
        activity.answers[key] = (before + _ENTRY.pack(at, same))[-MAX_ANSWERS * _ENTRY.size :]
        return
    kept = _answers(activity, key)
    insort(kept, this)
    activity.answers[key] = b"".join(_ENTRY.pack(*one) for one in kept[-MAX_ANSWERS:])


def _forget(activity: ActivitySection, key: str, at: int, same: bytes) -> None:
    if (at, same) in (kept := _answers(activity, key)):
        if len(kept) == MAX_ANSWERS:  # of what was before the oldest still nobody knows
            kept.insert(0, (kept[0][0], _NO_ANSWER))
        kept.remove((at, same))
        activity.answers[key] = b"".join(_ENTRY.pack(*one) for one in kept)
        if not kept:
            del activity.answers[key]


def _is_answered(activity: ActivitySection, key: str, same: bytes, since: int, until: int) -> bool:
    """Whether an answer came already that is dated after `since`. Of an event from before all that
    is remembered nobody knows: it counts as answered, as what is unknown lets no rule fire."""
    kept = _answers(activity, key)
    if len(kept) == MAX_ANSWERS and since < kept[0][0]:
        return True
    return any(since < at < until and one == same for at, one in kept)


def _answers(activity: ActivitySection, key: str) -> list[tuple[int, bytes]]:
    return list(_ENTRY.iter_unpack(activity.answers.get(key, b"")))


def _is_set_by(key: str, timer: Timer, event: Input) -> bool:
    """By its type and time: what is kept of events that may be taken back has not their ids."""
    return timer.type == event.type and timer.at == event.at and _is_of(key, None)


def _is_of(key: str, rules: Iterable[str] | None) -> bool:
    """Whether a timer waits for an answer, and of one of these rules, or of any."""
    rule, kind, _ = timers.parts_of(key)
    return kind == KIND and (rules is None or rule in rules)


def _trim(activity: ActivitySection, rules: Iterable[str] | None, limit: int) -> None:
    """Those that are due last give way: if the first did, a customer with many events would keep
    waiting and never be told of."""
    mine = [key for key in activity.timers if _is_of(key, rules)]
    while len(mine) > limit:
        last = max(mine, key=lambda key: (activity.timers[key].due, key))
        mine.remove(last)
        del activity.timers[last]
        count_dropped(activity.dropped, "timers")
