"""Rules that can be amended: what they did follows when the past changes.

What such a rule does is a function of the events alone, in the order of their times: of an event's
own fields and of windows that end at it. So it can be reckoned again. Each event that one of them
listens to or counts is kept for the allowed lateness, with the fields that they look at, and with
what it made them do. When an event comes that is older than some of those, or one is reversed, the
windows are taken back to there, on copies, and the later events are played again: what no longer
holds is retracted, what shows other values is amended, what holds now is raised, marked late.

So, within the lateness, what is raised and not retracted does not depend on the order of arrival.

**Bound.** A customer keeps KEPT_EVENTS, of PLAYED_BYTES at most; of more the oldest give way. What
those made stands, and only what is kept is played again; where that needs what a bucket does not
know any more, what was done stands, too. Of a pause (`cooldown`) the first event that holds in each
stretch of its length counts, so that it does not depend on the order either.

**Since when.** A rule judges the events that came since its version is in force for the customer.
What another version did stands, unless its very event is reversed; so does what any did at events
that were kept while rules looked at other fields of them. And it is decided by what was done, not
by what would be done today: what was sent is amended and retracted in shadow, too, and what was
withheld is neither.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import chain
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from schemas.activity import ActivitySection, Judging, Played, Said, unpack_played, unpack_time
from schemas.effects import Change, Withheld
from schemas.packed import pack
from schemas.record import Record
from streams.durations import parse_duration
from streams.expressions.values import render
from streams.facts import NO_FACTS
from streams.fold.bounded import cut
from streams.inputs import Correction, Input
from streams.rules.aggregates import Aggregates
from streams.rules.compiled import CompiledRule
from streams.rules.copies import Copies
from streams.rules.gate import withheld
from streams.rules.layouts import fields_of, layout_of
from streams.rules.readings import Readings
from streams.waits.absence import VALUE_BYTES

KEPT_EVENTS = 64
"""With the buckets of the longest window they are fewer than a state keeps (streams/windows.py), so
that a window that ends at one of them is never unknown."""
PLAYED_BYTES = 32 * 1024
"""So much do they weigh, with what they made rules show."""
_RULE_BYTES = 256
"""More than a rule's id takes with a time, or with since when it judges."""
_BEGAN_BYTES = 32
"""More than a window's key takes with when it began."""


class Amended(NamedTuple):
    """What changes of what a rule did at an event."""

    rule: CompiledRule
    at: int
    """The event's time; its source and id stand beside it."""
    source: str
    id: str
    version: int
    change: Change
    values: dict[str, str]
    withheld: Withheld | None
    """Why it is not done."""
    things: Sequence[str]
    """What is retracted, amended or raised: another version of the rule may make other things."""


class Replayed(NamedTuple):
    changes: Sequence[Amended] = ()
    failed: Sequence[str] = ()
    """Ids of the rules that raised: at that event what they did stands."""


NOTHING_NEW = Replayed()


class Amending:
    """The rules of a set that can be amended."""

    def __init__(
        self, rules: Sequence[CompiledRule], aggregates: Aggregates, lateness: int
    ) -> None:
        """`rules` are compiled with the numbers of `aggregates`, which has no others' windows;
        `lateness` in milliseconds."""
        self._aggregates = aggregates
        self._lateness = lateness
        self._rules = {rule.id: rule for rule in rules}
        self._things = {rule.id: (*rule.definition.then.actions,) for rule in rules}
        self._by_type: dict[str, list[CompiledRule]] = {}
        for rule in rules:
            for event_type in dict.fromkeys(rule.definition.on):
                self._by_type.setdefault(event_type, []).append(rule)
        self._layouts = {
            event_type: layout_of(event_type, names)
            for event_type, names in fields_of(rules).items()
        }
        self._gaps = {
            rule.id: [
                (aggregates.number_of(one), gaps)
                for one in dict.fromkeys(rule.checked.aggregates())
                if (gaps := aggregates.gaps(one)) is not None
            ]
            for rule in rules
        }
        self._pauses = {
            rule.id: parse_duration(rule.definition.cooldown)
            for rule in rules
            if rule.definition.cooldown
        }

    @property
    def marks(self) -> list[str]:
        """What tells the rules from others by since when they judge."""
        rules = (one.definition for one in self._rules.values())
        return [f"{rule.id}@{rule.version} {rule.status}" for rule in rules]

    def begin(self, record: Record) -> None:
        """Other rules are in force from now on. What those did that are gone stands: it pauses the
        version after it, or the rule if it comes back."""
        activity, now = record.activity, record.header.sequence
        judging: dict[str, Judging] = {}
        for name, rule in self._rules.items():
            version, status = rule.definition.version, rule.definition.status
            before = activity.judging.get(name)
            if before is None or before.version != version:
                before = Judging(version, now, status, now)
            elif before.status != status:
                before = Judging(version, before.since, status, now)
            judging[name] = before
        going = {name for name, one in judging.items() if one.since < now}
        for one in map(unpack_played, activity.played):
            _settle(activity, one, but=going)
        activity.judging = judging
        # A window of other rules may have begun at any time: what came before is let alone in it.
        activity.began = {
            key: activity.began.get(key, now) for key in sorted(self._aggregates.keys)
        }

    @property
    def room(self) -> int:
        """More bytes than all that is kept takes."""
        rules, keys = len(self._rules), len(self._aggregates.keys)
        return PLAYED_BYTES + PLAYED_BYTES // 64 + 2 * rules * _RULE_BYTES + keys * _BEGAN_BYTES

    def listens(self, event_type: str) -> bool:
        return event_type in self._layouts

    def is_paused(self, activity: ActivitySection, rule: str, at: int) -> bool:
        """Whether a rule did something before in the stretch of its pause that a time is in."""
        return self._is_paused(rule, at, activity, map(unpack_played, activity.played))

    def take(
        self, record: Record, event: Input, held: Mapping[str, tuple[dict[str, str], bool]]
    ) -> Replayed | None:
        """Keep an event that was put into the windows, and play again what comes after it.

        None if nothing does: then the rules of `held` fire, with what they show; true: withheld.
        """
        activity = record.activity
        one = Played(
            at=event.at,
            id=event.event.id,
            source=event.event.source,
            type=event.type,
            layout=self._layouts[event.type].mark,
            data=self._kept(event),
            came=record.header.sequence,
        )
        played = activity.played
        if not played or _is_after(one, played[-1]):
            one.did = {
                rule: Said(0 if is_withheld else 1, True, values, is_withheld, self._things[rule])
                for rule, (values, is_withheld) in held.items()
            }
            played.append(pack(one))
            self._forget(activity)
            return None
        events, fixed = self._unpack(activity)
        place = sum(_order(other) < _order(one) for other in events)
        events.insert(place, one)
        replayed = self._play(record, events, place, fixed)
        self._keep(activity, [*events, *fixed])
        return replayed

    def correct(self, record: Record, corrections: Iterable[Correction]) -> Replayed:
        """Put right events as it was done in the windows, and play again what comes after them."""
        activity = record.activity
        mine = [one for one in corrections if one.before.type in self._layouts]
        if mine:  # others may have moved the time on: of what is too old the windows do not know
            self._forget(activity)
        if not mine or not activity.played:
            return NOTHING_NEW
        events, fixed = self._unpack(activity)
        retracted: list[Amended] = []
        for before, after, _ in mine:
            found = next((one for one in events if self._is(one, before)), None)
            if found is not None and after is not None:
                found.data = self._kept(after)
            elif found is not None:
                events.remove(found)
                retracted += self._retract_all(record, found)
            elif after is None and (was := next((one for one in fixed if _was(one, before)), None)):
                fixed.remove(was)
                retracted += self._retract_all(record, was)
        gone = [one.before for one in mine]
        self._aggregates.recall(record.windows, gone, map(self._input, events))
        since = min(one.at for one in gone)
        place = sum(other.at < since for other in events)
        changes, failed = self._play(record, events, place, fixed)
        self._keep(activity, [*events, *fixed])
        return Replayed([*retracted, *changes], failed)

    def _play(
        self, record: Record, events: Sequence[Played], place: int, fixed: Sequence[Played]
    ) -> Replayed:
        """Play the events from a place on: the windows hold all of them. What rules did at those
        that are fixed stands."""
        changes, failed = list[Amended](), list[str]()
        activity, copies = record.activity, Copies(record.windows, record.activity.began)
        inputs = [self._input(one) for one in events[place:]]
        for number, one in reversed(list(enumerate(inputs, place))):
            copies.turn_to(events[number].came)
            self._aggregates.remove(copies, one, activity.era)
        copies.turn_to(record.header.sequence)
        self._aggregates.recall(copies, inputs, map(self._input, events[:place]))
        for number, one in enumerate(inputs, place):
            copies.turn_to(events[number].came)
            readings = self._aggregates.add(copies, one, activity.latest, activity.era)
            for rule in self._by_type.get(one.type, ()):
                if not _judges(activity, rule, events[number]):
                    continue
                try:
                    held = self._evaluate(rule, record, events[number], one, readings)
                    values = None if held is None else kept_values(rule, held)
                except Exception:  # whatever a rule raises is its own loss alone
                    failed.append(rule.id)
                    continue
                is_new = events[number].came == record.header.sequence
                if not is_new and self._is_forgotten(rule, readings):
                    continue
                is_open = rule.gate is None or rule.gate.closed(record, one.at) is None
                after = (other for other in events[number:] if not _judges(activity, rule, other))
                before = chain(events[:number], fixed, after)
                if not is_open or self._is_paused(rule.id, one.at, activity, before):
                    values = None
                changes += self._become(record, events[number], rule, values)
        return Replayed(changes, failed)

    def _evaluate(
        self, rule: CompiledRule, record: Record, _: Played, event: Input, readings: Readings
    ) -> Sequence[Any] | None:
        """What a rule shows at an event that is played again, if its condition holds."""
        return rule.evaluate(record, event.event.data, readings, NO_FACTS, event.at)

    def _is_forgotten(self, rule: CompiledRule, readings: Readings) -> bool:
        """Whether windows knew what the rule looks at when its event came, and do not know it any
        more: what it did stands."""
        _, windows, when, own = readings.asked
        return any(
            readings[number] is None and gaps(windows, when, own)
            for number, gaps in self._gaps[rule.id]
        )

    def _become(
        self, record: Record, one: Played, rule: CompiledRule, values: dict[str, str] | None
    ) -> Iterable[Amended]:
        """What a rule does at an event from now on; None: nothing. What was withheld is recorded
        when it would have been done first, and not amended."""
        said = one.did.get(rule.id)
        if said is None or not said.stands:
            if values is not None:
                yield from self._raise(record, one, rule, values)
            return
        if values == said.values:
            return
        kept = said.values if values is None else values
        version = said.version + (not said.withheld)
        things = said.things
        one.did[rule.id] = Said(version, values is not None, kept, said.withheld, things)
        if not said.withheld:
            change: Change = "retracted" if values is None else "amended"
            yield Amended(rule, one.at, one.source, one.id, version, change, kept, None, things)

    def _raise(
        self, record: Record, one: Played, rule: CompiledRule, values: dict[str, str]
    ) -> Iterable[Amended]:
        said, why = one.did.get(rule.id), withheld(rule.definition, record.customer)
        version = (said.version if said else 0) + (why is None)
        things = self._things[rule.id]
        one.did[rule.id] = Said(version, True, values, why is not None, things)
        if why is None or said is None:
            number = max(1, version)
            yield Amended(rule, one.at, one.source, one.id, number, "raised", values, why, things)

    def _retract_all(self, record: Record, one: Played) -> Iterable[Amended]:
        for rule in self._by_type.get(one.type, ()):
            yield from self._become(record, one, rule, None)

    def _is_paused(
        self, rule: str, at: int, activity: ActivitySection, before: Iterable[Played]
    ) -> bool:
        pause = self._pauses.get(rule)
        if pause is None:
            return False
        last = activity.cooldowns.get(rule)
        if last is not None and last // pause == at // pause:
            return True
        return any(
            one.at // pause == at // pause and rule in one.did and one.did[rule].stands
            for one in before
        )

    def _unpack(self, activity: ActivitySection) -> tuple[list[Played], list[Played]]:
        """The events that can be played; and those that were kept under rules that looked at other
        fields, which cannot."""
        events, fixed = list[Played](), list[Played]()
        for one in map(unpack_played, activity.played):
            layout = self._layouts.get(one.type)
            can_be_played = layout is not None and layout.mark == one.layout
            (events if can_be_played else fixed).append(one)
        return events, fixed

    def _keep(self, activity: ActivitySection, events: Iterable[Played]) -> None:
        activity.played = [pack(one) for one in sorted(events, key=_order)]
        self._forget(activity)

    def _forget(self, activity: ActivitySection) -> None:
        played, oldest = activity.played, activity.latest - self._lateness
        size = sum(map(len, played))
        while played:
            if unpack_time(played[0]).at >= oldest:
                if len(played) <= KEPT_EVENTS and size <= PLAYED_BYTES:
                    return
                activity.dropped["played"] = activity.dropped.get("played", 0) + 1
            _settle(activity, unpack_played(played[0]))
            size -= len(played.pop(0))

    def _kept(self, event: Input) -> Raw:
        return Raw(self._layouts[event.type].pack(event.event.data))

    def _input(self, one: Played) -> Input:
        event: Any = SimpleNamespace(data=self._layouts[one.type].decoder.decode(one.data))
        return Input(event, one.type, one.at, "", 0, 0)

    def _is(self, one: Played, original: Input) -> bool:
        if one.type != original.type or one.at != original.at:
            return False
        kept: Any = self._input(one).event.data
        data = original.event.data
        return all(getattr(kept, name) == getattr(data, name) for name in kept.__struct_fields__)


def _is_after(one: Played, packed: bytes) -> bool:
    at = unpack_time(packed).at
    return one.at > at if at != one.at else _order(unpack_played(packed)) < _order(one)


def _was(one: Played, original: Input) -> bool:
    """Whether one that was kept under other rules, by the names of its fields, is this event."""
    if one.type != original.type or one.at != original.at:
        return False
    kept, whole = _by_name(one.data), _by_name(pack(original.event.data))
    return all(whole.get(name) == value for name, value in kept.items())


_by_name = msgspec.msgpack.Decoder(dict[str, Any]).decode


def _order(one: Played) -> tuple[int, str, str]:
    return one.at, one.id, one.source


def kept_values(rule: CompiledRule, values: Iterable[object]) -> dict[str, str]:
    """What a rule that can be amended shows: as much as is kept of it."""
    texts = (cut(render(value), VALUE_BYTES) for value in values)
    return dict(zip(rule.names, texts, strict=True))


def settle_all(activity: ActivitySection) -> None:
    """No rule can be amended any more: what they did stands."""
    for one in map(unpack_played, activity.played):
        _settle(activity, one)
    activity.played.clear()
    activity.judging.clear()
    activity.began.clear()


def _judges(activity: ActivitySection, rule: CompiledRule, one: Played) -> bool:
    """Whether an event came since the rule's version is in force, and since it acts as it does; or
    the version sent something at it."""
    judging, said = activity.judging.get(rule.id), one.did.get(rule.id)
    if judging is None or one.came < judging.since:
        return False
    return one.came >= judging.acting or (said is not None and said.version > 0)


def _settle(activity: ActivitySection, one: Played, but: Container[str] = ()) -> None:
    """What an event made stands from now on."""
    for rule, said in one.did.items():
        if said.stands and rule not in but:
            activity.cooldowns[rule] = max(one.at, activity.cooldowns.get(rule, one.at))
