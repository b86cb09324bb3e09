"""From a rule that fired to what is done and goes out, or the decision that it is not."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, get_args

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
    ProcessData,
    ProcessRequested,
    Profile,
    ProfileData,
    RecordAction,
    RuleRef,
    Task,
    TaskData,
    Text,
    Withheld,
)
from schemas.envelope import VIPCARE, from_millis
from schemas.record import Record
from schemas.rules import AlertTemplate, TaskTemplate, Template
from schemas.rules import Text as Written
from streams.actions import act, name_of
from streams.durations import parse_duration
from streams.identity import derive_id
from streams.inputs import Input
from streams.rules.ruleset import Firing

SOURCE = VIPCARE


class Occasion(NamedTuple):
    """When a rule was evaluated, and because of what."""

    at: int
    """Epoch milliseconds: the event's time, or when the timer was due."""
    identity: tuple[str, ...]
    """What names it, so that a replay gives effects the same ids."""
    cause: Cause
    waited_until: datetime | None = None


_NAME = re.compile(r"\{([\w.]+)\}")


def of_event(event: Input) -> Occasion:
    cause = cause_of(event)
    return Occasion(event.at, (cause.source, cause.id), cause)


def of_timer(key: str, timer: Timer) -> Occasion:
    due = from_millis(timer.due)
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
    return Occasion(timer.due, named, cause, due)


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


def effects_of(record: Record, firing: Firing, occasion: Occasion) -> Iterator[Effect]:
    """Do what a rule's `then` asks for, in its order, and tell it; or that it is withheld."""
    if firing.withheld is not None:
        yield _decision(record, firing, firing.withheld, occasion)
        return
    for action in firing.rule.then.actions:
        yield _DO[action](record, firing, action, occasion)


def profile_of(record: Record, summary: ProfileData, occasion: Occasion) -> Profile:
    thing = derive_id("profile", record.customer)
    return Profile(
        id=f"{thing}-{summary.version}",
        source=SOURCE,
        subject=record.customer,
        time=from_millis(occasion.at),
        data=summary,
    )


def _task(record: Record, firing: Firing, action: Action, occasion: Occasion) -> Task:
    template = firing.rule.then.task
    assert template is not None
    thing = _name(record, firing, action, occasion)
    due = None if template.due is None else from_millis(occasion.at + parse_duration(template.due))
    data = TaskData(
        task_id=thing,
        version=1,
        state="open",
        change="raised",
        priority=template.priority,
        due=due,
        **_said(record, firing, template, occasion),
    )
    return Task(**_envelope(thing, record, occasion), data=data)


def _alert(record: Record, firing: Firing, action: Action, occasion: Occasion) -> Alert:
    template = firing.rule.then.alert
    assert template is not None
    thing = _name(record, firing, action, occasion)
    data = AlertData(
        alert_id=thing,
        version=1,
        state="open",
        change="raised",
        severity=template.severity,
        **_said(record, firing, template, occasion),
    )
    return Alert(**_envelope(thing, record, occasion), data=data)


def _process(
    record: Record, firing: Firing, action: Action, occasion: Occasion
) -> ProcessRequested:
    template = firing.rule.then.process
    assert template is not None
    thing = _name(record, firing, action, occasion)
    said = _said(record, firing, template, occasion)
    data = ProcessData(process_id=thing, process=template.name, **said)
    return ProcessRequested(**_envelope(thing, record, occasion), data=data)


def _action(
    record: Record, firing: Firing, action: RecordAction, occasion: Occasion
) -> ActionTaken:
    rule = firing.rule
    thing = _name(record, firing, action, occasion)
    data = ActionData(
        action_id=thing,
        action=action,
        name=name_of(rule, action),
        changed=act(record, rule, action, occasion.at),
        **_said(record, firing, rule.then.templates.get(action), occasion),
    )
    return ActionTaken(**_envelope(thing, record, occasion), data=data)


_DO: dict[Action, Callable[..., Effect]] = {
    "task": _task,
    "alert": _alert,
    "process": _process,
    **dict.fromkeys(get_args(RecordAction), _action),
}


def _decision(record: Record, firing: Firing, why: Withheld, occasion: Occasion) -> Decision:
    then = firing.rule.then
    thing = _name(record, firing, "decision", occasion)
    first, *_ = asked = then.actions
    data = DecisionData(
        decision_id=thing,
        outcome=why,
        actions=asked,
        **_said(record, firing, then.templates.get(first), occasion),
    )
    return Decision(**_envelope(thing, record, occasion), data=data)


def _name(record: Record, firing: Firing, what: str, occasion: Occasion) -> str:
    """Of the thing that is made, the same in a replay."""
    return derive_id(what, firing.rule.id, record.customer, *occasion.identity, "0")


def _said(
    record: Record, firing: Firing, template: Template | None, occasion: Occasion
) -> dict[str, Any]:
    """What all of them say alike; `template` is of what says something of its own."""
    rule, basics = firing.rule, record.profile.basics
    titled = isinstance(template, TaskTemplate | AlertTemplate) and template.title
    text = template and template.text
    return {
        "kind": rule.kind,
        "title": _fill(titled or rule.title, firing.values),
        "text": _fill(text, firing.values) if text else {},
        "rm": basics.rm,
        "tier": basics.tier,
        "rule": RuleRef(id=rule.id, version=rule.version),
        "values": firing.values,
        "waited_until": occasion.waited_until,
        "cause": occasion.cause,
    }


def _envelope(thing: str, record: Record, occasion: Occasion) -> dict[str, Any]:
    return {
        "id": f"{thing}-1",
        "source": SOURCE,
        "subject": record.customer,
        "time": from_millis(occasion.at),
    }


def _fill(template: Written, values: dict[str, str]) -> Text:
    return {
        "en": _NAME.sub(lambda name: values.get(name[1], "?"), template.en),
        "zh": _NAME.sub(lambda name: values.get(name[1], "?"), template.zh),
    }
