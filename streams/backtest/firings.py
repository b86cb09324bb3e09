"""What a rule did to a customer: its effects by the occasion that they have in common."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from schemas.effects import (
    ActionTaken,
    Alert,
    Decision,
    Effect,
    ProcessRequested,
    Profile,
    Task,
    is_new,
)
from schemas.envelope import to_millis
from schemas.events.feedback import OutcomeRecorded, TaskDeclined
from streams.backtest.late import Late
from streams.intake import Entry

Occasion = tuple[str, str, str, datetime | None]
"""Rule, source and id of the event, until when it waited: the same for two versions of a rule."""
DECLINED = "declined"
_TOLD = {OutcomeRecorded.event_type(), TaskDeclined.event_type()}


class Fired(Struct):
    """One firing of one rule."""

    occasion: Occasion
    version: int
    customer: str
    at: int
    """Epoch milliseconds."""
    rm: str | None
    became: str = "fired"
    """`fired`, or why nothing was sent: `shadow`, `held_out`, `refused`."""
    refused: bool = False
    """Its greeting was, on all channels; whatever else it does is done."""
    actions: list[str] = []
    """What it sent, such as `task`."""
    tasks: list[str] = []
    """Their ids, under which the CRM tells what became of them."""
    retracted: bool = False
    """What it sent was taken back later, as its rule is amendable."""

    @property
    def rule(self) -> str:
        return self.occasion[0]


class Firings:
    """Those that effects tell of, in their order, also where they were retracted later."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Occasion], Fired] = {}
        self._of: dict[str, Fired] = {}
        """A task or an alert → what sent it last."""

    def extend(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Profile):
                continue
            if is_new(effect):
                self._take(effect)
            elif isinstance(effect, Task | Alert) and (fired := self._of.get(_thing(effect))):
                fired.retracted = effect.data.change == "retracted"

    def clear(self) -> None:
        self._found.clear()
        self._of.clear()

    def all(self) -> list[Fired]:
        for fired in self._found.values():
            if fired.refused and not fired.actions:
                fired.became = "refused"
        return list(self._found.values())

    def _take(self, effect: Task | Alert | ActionTaken | ProcessRequested | Decision) -> None:
        data, cause = effect.data, effect.data.cause
        occasion = (data.rule.id, cause.source, cause.id, data.waited_until)
        fired = self._found.get((effect.subject, occasion))
        if fired is None:
            fired = self._found[effect.subject, occasion] = Fired(
                occasion, data.rule.version, effect.subject, to_millis(effect.time), data.rm
            )
        if isinstance(effect, Task | Alert):
            self._of[_thing(effect)] = fired
        _add(fired, effect)


def _thing(effect: Task | Alert) -> str:
    return effect.data.task_id if isinstance(effect, Task) else effect.data.alert_id


def firings(effects: Iterable[Effect]) -> list[Fired]:
    found = Firings()
    found.extend(effects)
    return found.all()


def _add(fired: Fired, effect: Effect) -> None:
    match effect:
        case Decision() if effect.data.outcome == "refused":
            fired.refused = True
        case Decision():
            fired.became = effect.data.outcome
        case Task():
            fired.actions.append("task")
            fired.tasks.append(effect.data.task_id)
        case ActionTaken():
            fired.actions.append(effect.data.action)
        case Alert():
            fired.actions.append("alert")
        case ProcessRequested():
            fired.actions.append("process")


def outcomes(entries: Iterable[Entry]) -> Mapping[str, str]:
    """Task → what the CRM reported last: an outcome, or that it was declined."""
    told: dict[str, str] = {}
    for entry in entries.of(_TOLD) if isinstance(entries, Late) else entries:
        if entry.input is None or entry.input.type not in _TOLD:
            continue
        event = entry.input.event
        if isinstance(event, OutcomeRecorded):
            told[event.data.task] = event.data.outcome
        elif isinstance(event, TaskDeclined):
            told[event.data.task] = DECLINED
    return told
