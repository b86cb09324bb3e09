"""Rules that can be amended: what they did follows when the past changes.

What such a rule does is a function of the events alone, in the order of their times: of an event's
own fields and of windows that end at it. So it can be reckoned again. Each event that one of them
listens to or counts is kept for the allowed lateness, with the fields that they look at, and with
what it made them do. When an event comes that is older than some of those, or one is reversed, the
windows are taken back to there, on copies, and the later events are played again: what no longer
holds is retracted, what shows other values is amended, what holds now is raised, marked late.

So, within the lateness, what is raised and not retracted does not depend on the order of arrival.

**Bound.** A customer keeps KEPT_EVENTS; of more the oldest give way. What those made stands, and
only what is kept is played again. Of a pause (`cooldown`) the first event that holds in each
stretch of its length counts, so that it does not depend on the order either.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from types import SimpleNamespace
from typing import Any, NamedTuple, get_type_hints
from zlib import crc32

import msgspec
from msgspec import Raw, Struct

from schemas.activity import ActivitySection, Played, Said, unpack_played
from schemas.effects import Change
from schemas.events import EVENT_TYPES
from schemas.packed import pack
from schemas.record import Record, Windows
from streams.durations import parse_duration
from streams.expressions.nodes import Aggregate, EventField, Node, walk
from streams.expressions.values import render
from streams.facts import NO_FACTS
from streams.inputs import Input
from streams.rules.aggregates import Aggregates
from streams.rules.compiled import CompiledRule

KEPT_EVENTS = 64
"""With the buckets of the longest window they are fewer than a state keeps (streams/windows.py), so
that a window that ends at one of them is never unknown."""
_NAMED_BY = {"transfer.completed": ("transfer", "direction")}
"""What tells an event from others when it is reversed."""


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


class Replayed(NamedTuple):
    changes: Sequence[Amended] = ()
    failed: Sequence[str] = ()
    """Ids of the rules that raised: at that event what they did stands."""


NOTHING_NEW = Replayed()


class _Layout(NamedTuple):
    """What is kept of the events of one type."""

    mark: int
    """Tells it from what was kept under other rules."""
    struct: type[Struct]
    decoder: msgspec.msgpack.Decoder[Any]


class Amending:
    """The rules of a set that can be amended."""

    def __init__(
        self, rules: Sequence[CompiledRule], aggregates: Aggregates, lateness: int
    ) -> None:
        """`rules` are compiled with the numbers of `aggregates`, which has no others' windows;
        `lateness` in milliseconds."""
        self._aggregates = aggregates
        self._lateness = lateness
        self._by_type: dict[str, list[CompiledRule]] = {}
        for rule in rules:
            for event_type in dict.fromkeys(rule.definition.on):
                self._by_type.setdefault(event_type, []).append(rule)
        self._layouts = {
            event_type: _layout(event_type, names) for event_type, names in _fields(rules).items()
        }
        self._pauses = {
            rule.id: parse_duration(rule.definition.cooldown)
            for rule in rules
            if rule.definition.cooldown
        }

    def listens(self, event_type: str) -> bool:
        return event_type in self._layouts

    def is_paused(self, activity: ActivitySection, rule: str, at: int) -> bool:
        """Whether a rule did something before in the stretch of its pause that a time is in."""
        return self._is_paused(rule, at, activity, map(unpack_played, activity.played))

    def take(
        self, record: Record, event: Input, held: Mapping[str, dict[str, str]]
    ) -> Replayed | None:
        """Keep an event that was put into the windows, and play again what comes after it.

        None if nothing does: then the rules of `held` fire, with what they show.
        """
        activity = record.activity
        layout = self._layouts[event.type]
        data, source = event.event.data, event.event.source
        kept = layout.struct(
            **{name: getattr(data, name) for name in layout.struct.__struct_fields__}
        )
        one = Played(
            at=event.at,
            id=event.event.id,
            source=source,
            type=event.type,
            layout=layout.mark,
            data=Raw(pack(kept)),
        )
        played = activity.played
        if not played or _order(unpack_played(played[-1])) < _order(one):
            one.did = {rule: Said(1, True, values) for rule, values in held.items()}
            played.append(pack(one))
            self._forget(activity)
            return None
        events = self._unpack(activity)
        place = sum(_order(other) < _order(one) for other in events)
        events.insert(place, one)
        replayed = self._play(record, events, place)
        activity.played = [pack(other) for other in events]
        self._forget(activity)
        return replayed

    def take_back(self, record: Record, original: Input) -> Replayed:
        """Forget an event that was taken out of the windows, and play again what comes after it."""
        activity = record.activity
        if original.type not in self._layouts or not activity.played:
            return NOTHING_NEW
        events = self._unpack(activity)
        place = sum(other.at < original.at for other in events)
        retracted: list[Amended] = []
        for number, other in enumerate(events):
            if self._is(other, original):
                del events[number]
                place = number
                retracted += self._retract_all(other)
                break
        changes, failed = self._play(record, events, place)
        activity.played = [pack(other) for other in events]
        return Replayed([*retracted, *changes], failed)

    def _play(self, record: Record, events: list[Played], place: int) -> Replayed:
        """Play the events from a place on: the windows hold all of them."""
        changes, failed = list[Amended](), list[str]()
        activity, copies = record.activity, _Copies(record.windows)
        inputs = [self._input(one) for one in events[place:]]
        for one in reversed(inputs):
            self._aggregates.remove(copies, one)
        for number, one in enumerate(inputs, place):
            readings = self._aggregates.add(copies, one, activity.latest)
            for rule in self._by_type.get(one.type, ()):
                try:
                    held = rule.evaluate(record, one.event.data, readings, NO_FACTS, one.at)
                except Exception:  # whatever a rule raises is its own loss alone
                    failed.append(rule.id)
                    continue
                values = None
                is_open = rule.gate is None or rule.gate.closed(record, one.at) is None
                before = events[:number]
                if held and is_open and not self._is_paused(rule.id, one.at, activity, before):
                    values = dict(zip(rule.names, map(render, held[0][1]), strict=True))
                changes += self._become(events[number], rule, values)
        return Replayed(changes, failed)

    def _become(
        self, one: Played, rule: CompiledRule, values: dict[str, str] | None
    ) -> Iterable[Amended]:
        """What a rule does at an event from now on; None: nothing."""
        said = one.did.get(rule.id)
        if values is None:
            if said is None or not said.stands:
                return
            change: Change = "retracted"
        elif said is None or not said.stands:
            change = "raised"
        elif said.values != values:
            change = "amended"
        else:
            return
        version = 1 if said is None else said.version + 1
        shown = said.values if values is None and said is not None else values or {}
        one.did[rule.id] = Said(version, values is not None, shown)
        yield Amended(rule, one.at, one.source, one.id, version, change, shown)

    def _retract_all(self, one: Played) -> Iterable[Amended]:
        for rule in self._by_type.get(one.type, ()):
            yield from self._become(one, rule, None)

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

    def _unpack(self, activity: ActivitySection) -> list[Played]:
        """The events that can be played; what was kept under other rules cannot."""
        events = []
        for one in map(unpack_played, activity.played):
            layout = self._layouts.get(one.type)
            if layout is not None and layout.mark == one.layout:
                events.append(one)
            else:
                _settle(activity, one)
        return events

    def _forget(self, activity: ActivitySection) -> None:
        played, oldest = activity.played, activity.latest - self._lateness
        while played:
            one = unpack_played(played[0])
            if one.at >= oldest:
                if len(played) <= KEPT_EVENTS:
                    return
                activity.dropped["played"] = activity.dropped.get("played", 0) + 1
            _settle(activity, one)
            del played[0]

    def _input(self, one: Played) -> Input:
        event: Any = SimpleNamespace(data=self._layouts[one.type].decoder.decode(one.data))
        return Input(event, one.type, one.at, "", 0, 0)

    def _is(self, one: Played, original: Input) -> bool:
        if one.type != original.type or one.at != original.at:
            return False
        kept, data = self._input(one).event.data, original.event.data
        names = _NAMED_BY[one.type]
        return all(getattr(kept, name) == getattr(data, name) for name in names)


class _Copies:
    """Copies of the windows of a record, made when asked for: what Aggregates need of them."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self.edited: dict[str, list[Any]] = {}

    def get(self, key: str) -> list[Any] | None:
        return self.edit(key)

    def edit(self, key: str) -> list[Any] | None:
        if key not in self.edited and (state := self._windows.get(key)) is not None:
            self.edited[key] = deepcopy(state)
        return self.edited.get(key)

    def put(self, key: str, value: list[Any]) -> list[Any]:
        self.edited[key] = value
        return value


def _order(one: Played) -> tuple[int, str, str]:
    return one.at, one.id, one.source


def _settle(activity: ActivitySection, one: Played) -> None:
    """What an event made stands from now on."""
    for rule, said in one.did.items():
        if said.stands:
            activity.cooldowns[rule] = max(one.at, activity.cooldowns.get(rule, one.at))


def _fields(rules: Iterable[CompiledRule]) -> dict[str, set[str]]:
    """Event type → what the rules look at of it."""
    found: dict[str, set[str]] = {}

    def add(types: Iterable[str], nodes: Iterable[Node | None]) -> None:
        names = {
            part.name
            for node in nodes
            if node is not None
            for part in walk(node)
            if isinstance(part, EventField)
        }
        for event_type in types:
            kept = found.setdefault(event_type, set(_NAMED_BY.get(event_type, ())))
            kept |= names & set(_struct(event_type).__struct_fields__)

    for rule in rules:
        checked = rule.checked
        add(
            checked.definition.on,
            (checked.condition, *checked.lets.values(), *checked.shown.values()),
        )
        for aggregate in checked.aggregates():
            add(_types(aggregate), (aggregate.where, aggregate.value))
    return found


def _types(aggregate: Aggregate) -> Iterable[str]:
    return dict.fromkeys((*aggregate.types, *aggregate.without))


def _layout(event_type: str, names: set[str]) -> _Layout:
    struct = _struct(event_type)
    hints = get_type_hints(struct)
    defaults = {one.name: one.default for one in msgspec.structs.fields(struct)}
    fields = []
    for name in sorted(names):
        default = defaults[name]
        optional = default is not msgspec.NODEFAULT
        fields.append((name, hints[name], default) if optional else (name, hints[name]))
    made = msgspec.defstruct("Kept", fields, kw_only=True, omit_defaults=True)
    mark = crc32(repr(sorted(names)).encode())
    return _Layout(mark, made, msgspec.msgpack.Decoder(made))


def _struct(event_type: str) -> type[Struct]:
    data: type[Struct] = get_type_hints(EVENT_TYPES[event_type])["data"]
    return data
