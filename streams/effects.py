"""From a rule that fired to the task or alert that goes out, or the decision that it does not."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from schemas.activity import Timer
from schemas.effects import (
    Action,
    Alert,
    AlertData,
    Cause,
    Decision,
    DecisionData,
    Effect,
    Profile,
    ProfileData,
    RuleRef,
    Task,
    TaskData,
    Text,
    Withheld,
)
from schemas.envelope import VIPCARE, from_millis
from schemas.record import Record
from schemas.rules import AlertTemplate, TaskTemplate
from schemas.rules import Text as Template
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
    """The task, the alert, or both, that a rule's `then` asks for; or that they are withheld."""
    then = firing.rule.then
    if firing.withheld is not None:
        yield _decision(record, firing, firing.withheld, occasion)
        return
    if then.task is not None:
        yield _task(record, firing, then.task, occasion)
    if then.alert is not None:
        yield _alert(record, firing, then.alert, occasion)


def profile_of(record: Record, summary: ProfileData) -> Profile:
    thing = derive_id("profile", record.customer)
    return Profile(
        id=f"{thing}-{summary.version}",
        source=SOURCE,
        subject=record.customer,
        time=summary.cause.time,
        data=summary,
    )


def _task(record: Record, firing: Firing, template: TaskTemplate, occasion: Occasion) -> Task:
    rule = firing.rule
    thing = derive_id("task", rule.id, record.customer, *occasion.identity, "0")
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


def _alert(record: Record, firing: Firing, template: AlertTemplate, occasion: Occasion) -> Alert:
    rule = firing.rule
    thing = derive_id("alert", rule.id, record.customer, *occasion.identity, "0")
    data = AlertData(
        alert_id=thing,
        version=1,
        state="open",
        change="raised",
        severity=template.severity,
        **_said(record, firing, template, occasion),
    )
    return Alert(**_envelope(thing, record, occasion), data=data)


def _decision(record: Record, firing: Firing, why: Withheld, occasion: Occasion) -> Decision:
    rule = firing.rule
    thing = derive_id("decision", rule.id, record.customer, *occasion.identity, "0")
    actions: dict[Action, TaskTemplate | AlertTemplate | None] = {
        "task": rule.then.task,
        "alert": rule.then.alert,
    }
    asked = {name: template for name, template in actions.items() if template is not None}
    first = next(iter(asked.values()))
    data = DecisionData(
        decision_id=thing,
        outcome=why,
        actions=list(asked),
        **_said(record, firing, first, occasion),
    )
    return Decision(**_envelope(thing, record, occasion), data=data)


def _said(
    record: Record, firing: Firing, template: TaskTemplate | AlertTemplate, occasion: Occasion
) -> dict[str, Any]:
    """What a task, an alert and a decision say alike."""
    rule, basics = firing.rule, record.profile.basics
    return {
        "kind": rule.kind,
        "title": _fill(template.title or rule.title, firing.values),
        "text": _fill(template.text, firing.values),
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


def _fill(template: Template, values: dict[str, str]) -> Text:
    return {
        "en": _NAME.sub(lambda name: values.get(name[1], "?"), template.en),
        "zh": _NAME.sub(lambda name: values.get(name[1], "?"), template.zh),
    }
