"""From a rule that fired to what is done and goes out, or the decision that it is not."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, get_args

from msgspec.structs import replace

from schemas.activity import Timer
from schemas.effects import (
    Action,
    ActionData,
    ActionTaken,
    Alert,
    AlertData,
    Cause,
    Decision,
    DecisionData,
    Effect,
    Outcome,
    ProcessData,
    ProcessRequested,
    Profile,
    ProfileData,
    RecordAction,
    RuleRef,
    Task,
    TaskData,
    Text,
    encode_effect,
)
from schemas.envelope import VIPCARE, from_millis
from schemas.record import Record
from schemas.rule_parts import Text as Written
from schemas.rules import AlertTemplate, TaskTemplate, Template
from streams.actions import act, name_of
from streams.announced import Announced
from streams.attachments import attachments
from streams.choices import in_words
from streams.context import CoreSettings
from streams.durations import parse_duration
from streams.greetings import last_greeting, note_greeting, open_channels
from streams.identity import derive_id
from streams.inputs import Input
from streams.rules.firing import Firing
from streams.rules.scores import said
from streams.texts import fill

SOURCE = VIPCARE
MAX_EFFECT_BYTES = 900_000
"""An encoded effect stays below Kafka's usual limit for a message, 1 MB."""

_FORMER = Written(
    en="Taken back: an earlier version of the rule made it", zh="已撤回：由该规则的早前版本生成"
)
_FORMER_TASK = TaskTemplate(text=_FORMER, attach=[])
_FORMER_ALERT = AlertTemplate(text=_FORMER, attach=[])


class OversizeError(ValueError):
    """The record or an effect would exceed its limit."""


class Occasion(NamedTuple):
    """When a rule was evaluated, and because of what."""

    at: int
    """Epoch milliseconds: the event's time, or when the timer was due."""
    identity: tuple[str, ...]
    """What names it, so that a replay gives effects the same ids."""
    cause: Cause
    waited_until: datetime | None = None


def of_event(event: Input) -> Occasion:
    cause = cause_of(event)
    return Occasion(event.at, (cause.source, cause.id), cause)


def of_timer(key: str, timer: Timer, at: int) -> Occasion:
    """Of a timer that was due at a time; it may be due later by now."""
    due = from_millis(at)
    cause = Cause(
        source=timer.source,
        id=timer.id,
        type=timer.type,
        time=from_millis(timer.at),
        topic=timer.topic,
        partition=timer.partition,
        offset=timer.offset,
    )
    # Late events may move a timer that fired away and back to the same time: it fires once more.
    named = ("timer", key, due.isoformat(), timer.source, timer.id)
    return Occasion(at, named, cause, due)


def of_broadcast(told: Announced) -> Occasion:
    return Occasion(told.at, ("broadcast", told.name, told.cause.source, told.cause.id), told.cause)


def occasion_of(firing: Firing, occasion: Occasion) -> Occasion:
    """A firing's own: of one that amends, the event that it is about, but what caused it is the
    event of the step."""
    amends = firing.amends
    if amends is None:
        return occasion
    return Occasion(amends.at, (amends.source, amends.id), occasion.cause)


def cause_of(event: Input) -> Cause:
    return Cause(
        source=event.event.source,
        id=event.event.id,
        type=event.type,
        time=from_millis(event.at),
        topic=event.topic,
        partition=event.partition,
        offset=event.offset,
    )


class Deed(NamedTuple):
    """What is done: for whom, because of which firing and when."""

    record: Record
    firing: Firing
    occasion: Occasion
    settings: CoreSettings
    is_warm: bool
    """The rule's windows reach back as far as it looks."""


def effects_of(deed: Deed) -> list[tuple[Effect, bytes]]:
    """Do what a rule's `then` asks for, in its order, and tell it; or that it is withheld. Beside
    each effect is what it is sent as.

    Raises OversizeError for an effect that would not be taken: rules repeat fields in their texts,
    as often as their authors like. All effects are made before anything is done to the record, so
    whatever is raised there leaves no trace; what changes the record comes last anyway.
    """
    firing = deed.firing
    if firing.withheld is not None:
        decision = _decision(deed, firing.withheld, firing.rule.then.actions)
        return [(decision, _encoded(decision))]
    told = [_TELL[action](deed, action) for action in _actions(firing)]
    made = [(effect, _encoded(effect)) for effect in told]
    return [
        _done(deed, effect, sent) if isinstance(effect, ActionTaken) else (effect, sent)
        for effect, sent in made
    ]


def _actions(firing: Firing) -> Sequence[Any]:
    return (firing.amends and firing.amends.things) or firing.rule.then.actions


def _encoded(effect: Effect) -> bytes:
    encoded = encode_effect(effect)
    if len(encoded) > MAX_EFFECT_BYTES:
        raise OversizeError(f"{effect.id} has {len(encoded)} bytes, more than {MAX_EFFECT_BYTES}")
    return encoded


def _done(deed: Deed, taken: ActionTaken, encoded: bytes) -> tuple[Effect, bytes]:
    """Do to the record what was told; and tell if that changed something."""
    data, record, at = taken.data, deed.record, deed.occasion.at
    if data.action == "greeting":
        assert data.occasion is not None
        note_greeting(record.activity, data.occasion, data.name, at)
    elif act(record, deed.firing.rule, data.action, at):
        taken = replace(taken, data=replace(data, changed=True))
        return taken, encode_effect(taken)
    return taken, encoded


def profile_of(record: Record, summary: ProfileData, occasion: Occasion) -> Profile:
    thing = derive_id("profile", record.customer)
    return Profile(
        id=f"{thing}-{summary.version}",
        source=SOURCE,
        subject=record.customer,
        time=from_millis(occasion.at),
        data=summary,
    )


def _task(deed: Deed, action: Action) -> Task:
    template, at = deed.firing.rule.then.task or _FORMER_TASK, deed.occasion.at
    thing = _name(deed, action)
    due = None if template.due is None else from_millis(at + parse_duration(template.due))
    data = TaskData(
        task_id=thing,
        **_version(deed.firing),
        priority=template.priority,
        due=due,
        attachments=attachments(deed.record, template.attach, at, deed.settings),
        **_said(deed, template),
    )
    return Task(**_envelope(thing, deed), data=data)


def _alert(deed: Deed, action: Action) -> Alert:
    template, at = deed.firing.rule.then.alert or _FORMER_ALERT, deed.occasion.at
    thing = _name(deed, action)
    data = AlertData(
        alert_id=thing,
        **_version(deed.firing),
        severity=template.severity,
        attachments=attachments(deed.record, template.attach, at, deed.settings),
        **_said(deed, template),
    )
    return Alert(**_envelope(thing, deed), data=data)


def _version(firing: Firing) -> dict[str, Any]:
    amends = firing.amends
    if amends is None:
        return {"version": 1, "state": "open", "change": "raised"}
    return {
        "version": amends.version,
        "state": "closed" if amends.change == "retracted" else "open",
        "change": amends.change,
        "late": True,
    }


def _process(deed: Deed, action: Action) -> ProcessRequested:
    template = deed.firing.rule.then.process
    assert template is not None
    thing = _name(deed, action)
    data = ProcessData(process_id=thing, process=template.name, **_said(deed, template))
    return ProcessRequested(**_envelope(thing, deed), data=data)


def _greeting(deed: Deed, action: Action) -> ActionTaken | Decision:
    wanted, record, greetings = deed.firing.rule.then.greeting, deed.record, deed.settings.greetings
    assert wanted is not None
    channels = open_channels(record.profile, wanted.purpose, wanted.channels)
    if not channels:
        return _decision(deed, "refused", [action])
    thing = _name(deed, action)
    last = last_greeting(record.activity, wanted.occasion)
    values = deed.firing.values
    template, language = greetings.choose(wanted.occasion, record.profile, values, last, thing)
    said = _said(deed, None)
    shown = _in_words(deed.firing, language)
    said["text"] = {language: fill(template.texts[language], shown)}
    data = ActionData(
        action_id=thing,
        action="greeting",
        name=template.id,
        changed=True,
        occasion=wanted.occasion,
        channels=channels,
        **said,
    )
    return ActionTaken(**_envelope(thing, deed), data=data)


def _action(deed: Deed, action: RecordAction) -> ActionTaken:
    rule = deed.firing.rule
    thing = _name(deed, action)
    data = ActionData(
        action_id=thing,
        action=action,
        name=name_of(rule, action),
        changed=False,  # see _done
        **_said(deed, rule.then.templates.get(action)),
    )
    return ActionTaken(**_envelope(thing, deed), data=data)


_TELL: dict[Action, Callable[[Deed, Any], Effect]] = {
    "task": _task,
    "alert": _alert,
    "process": _process,
    "greeting": _greeting,
    **dict.fromkeys(get_args(RecordAction), _action),
}


def _decision(deed: Deed, why: Outcome, actions: Sequence[Action]) -> Decision:
    thing = _name(deed, "refused" if why == "refused" else "decision")
    data = DecisionData(
        decision_id=thing,
        outcome=why,
        actions=list(actions),
        **_said(deed, deed.firing.rule.then.templates.get(actions[0])),
    )
    return Decision(**_envelope(thing, deed), data=data)


def _name(deed: Deed, what: str) -> str:
    """Of the thing that is made, the same in a replay."""
    who = deed.record.customer
    return derive_id(what, deed.firing.rule.id, who, *deed.occasion.identity, "0")


def _said(deed: Deed, template: Template | None) -> dict[str, Any]:
    """What all of them say alike; `template` is of what says something of its own."""
    firing, basics = deed.firing, deed.record.profile.basics
    titled = isinstance(template, TaskTemplate | AlertTemplate) and template.title
    text = template and template.text
    return {
        "kind": firing.rule.kind,
        "title": _filled(titled or firing.rule.title, firing),
        "text": _filled(text, firing) if text else {},
        "rm": basics.rm,
        "tier": basics.tier,
        "rule": RuleRef(id=firing.rule.id, version=firing.rule.version),
        "values": firing.values,
        "warm": deed.is_warm,
        "waited_until": deed.occasion.waited_until,
        "cause": deed.occasion.cause,
    }


def _envelope(thing: str, deed: Deed) -> dict[str, Any]:
    amends, occasion = deed.firing.amends, deed.occasion
    return {
        "id": f"{thing}-{1 if amends is None else amends.version}",
        "source": SOURCE,
        "subject": deed.record.customer,
        "time": from_millis(occasion.at) if amends is None else occasion.cause.time,
    }


def _filled(template: Written, firing: Firing) -> Text:
    en, zh = _in_words(firing, "en"), _in_words(firing, "zh")
    if firing.reasons:
        en = en | {"reasons": said(firing.reasons, "en", en)}
        zh = zh | {"reasons": said(firing.reasons, "zh", zh)}
    return {"en": fill(template.en, en), "zh": fill(template.zh, zh)}


def _in_words(firing: Firing, language: str) -> dict[str, str]:
    """The values as texts of a language show them."""
    values = firing.values
    if not firing.choices:
        return values
    return values | {one: in_words(values[one], language) for one in firing.choices & values.keys()}
