"""The examples of a rule, played: its events through the live step, what waits at its time.

Only the rule itself runs, whatever its status; what its events need not say is in example_data.py.

Of the bank's settings only its words count (attributes, greetings, base currency). Clocks are those
of UTC, business days are Monday to Friday, tolerances are the usual ones: so an example that ships
says the same in every bank.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from schemas.effects import Action, ActionTaken, Alert, Effect, ProcessRequested, Task
from schemas.envelope import Event, from_millis, to_millis
from schemas.events import EVENT_TYPES
from schemas.events.campaign import BROADCAST_TYPES
from schemas.events.fact import Fact
from schemas.events.reference import FACT_TYPES
from schemas.record import Record
from schemas.rule_examples import Expected, Given, RuleExample
from schemas.rules import RuleDefinition
from streams.broadcasts import Pending, Round
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.durations import parse_duration
from streams.expressions.parse import nearest
from streams.facts import FactBook
from streams.inputs import Raw, raw_of
from streams.intake import read
from streams.partitioning import partition_of
from streams.rules.errors import OF_KEY, RuleProblem
from streams.rules.example_data import event_data
from streams.rules.example_fields import wrong_fields
from streams.rules.ruleset import RuleSet

Made = Task | Alert | ProcessRequested | ActionTaken

_TYPES: dict[str, type[Event]] = {**EVENT_TYPES, **FACT_TYPES}
CUSTOMER = "EXAMPLE"
_TOLD = 10
"""Differences of an example, at most."""


class _Occurrence(NamedTuple):
    at: int
    given: Given
    key: str
    """Where it stands in the rule."""


class _WrongExampleError(ValueError):
    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def bare(settings: CoreSettings) -> CoreSettings:
    """What examples are played with: of a bank's settings its words alone."""
    return CoreSettings(
        partitions=settings.partitions,
        attributes=settings.attributes,
        base_currency=settings.base_currency,
        greetings=settings.greetings,
    )


def failures(rules: RuleSet, settings: CoreSettings) -> Iterator[RuleProblem]:
    """What is not as the examples of a set of one rule say; nothing if all is."""
    [rule] = rules.definitions
    for number, example in enumerate(rule.examples):
        key = f"examples.{number}"
        if wrong := list(_slips(rule.id, example.given, settings, f"{key}.given")):
            yield from wrong
            continue
        try:
            made = play(example, rules, settings, key)
        except _WrongExampleError as error:
            yield RuleProblem(rule.id, error.key, 0, str(error))
        else:
            if found := list(_differences(example.expect, made, settings)):
                more = [f"and {len(found) - _TOLD} more"] if len(found) > _TOLD else []
                message = f"{example.title}: {'; '.join(found[:_TOLD] + more)}"
                yield RuleProblem(rule.id, f"{key}.expect", 0, message)


def slips(rule: RuleDefinition, settings: CoreSettings) -> Iterator[RuleProblem]:
    """What the examples of a rule say of events that they cannot say: seen without playing them."""
    for number, example in enumerate(rule.examples):
        yield from _slips(rule.id, example.given, settings, f"examples.{number}.given")


def _slips(
    rule: str, given: Iterable[Given], settings: CoreSettings, key: str
) -> Iterator[RuleProblem]:
    for number, one in enumerate(given):
        if one.event not in _TYPES:
            message = f"{one.event} is no event type{nearest(one.event, _TYPES)}"
            yield RuleProblem(rule, f"{key}.{number}.event", 0, message)
        else:
            for wrong in wrong_fields(_TYPES[one.event], one.with_, settings.attributes):
                column = OF_KEY if wrong.of_name else 0
                place = f"{key}.{number}.with.{wrong.path}"
                yield RuleProblem(rule, place, column, wrong.message)


def play(example: RuleExample, rules: RuleSet, settings: CoreSettings, key: str) -> list[Made]:
    """What the rule does after the events of one example, in order; of what it amends the last
    version, if that is not retracted."""
    record, made = Record(CUSTOMER), list[Effect]()
    if all(one.event in FACT_TYPES for one in example.given):
        record.header.admit()  # else nobody would be there to be told
    at, latest, book = 0, 0, FactBook()
    for number, one in enumerate(_occurrences(example.given, settings, key)):
        at, latest, message = one.at, max(one.at, latest), _message(one, number, settings)
        if one.given.event in FACT_TYPES:
            if problem := book.take(message):
                raise _refused(one, problem)
            if one.given.event in BROADCAST_TYPES:
                context = Context(at, rules, settings, facts=book.snapshot())
                made += _tell(message, record, context)
            continue
        context = Context(at, rules, settings, partition_time=at, facts=book.snapshot())
        outcome = apply_chunk([read(message, settings)], lambda _: record, context)
        if outcome.dead_letters:
            raise _refused(one, outcome.dead_letters[0].detail)
        made += outcome.effects
    if example.until is None:
        [rule] = rules.definitions
        until = _end_of_waits(record) if rule.wait is not None else None
    else:
        until = _instant(example.until, at, settings)
        if until < latest:
            raise _WrongExampleError(f"{key}.until", "this is before the last event that is given")
    if until is not None:
        context = Context(until, rules, settings, partition_time=until, facts=book.snapshot())
        made += apply_chunk([], lambda _: record, context, due=[CUSTOMER]).effects
    return list(_standing(one for one in made if isinstance(one, Made)))


def _end_of_waits(record: Record) -> int | None:
    """By when all that waits has come, each date of every year once."""
    due = [one.due for one in record.activity.timers.values() if not one.fired]
    return max(due, default=None)


def _refused(one: _Occurrence, why: str) -> _WrongExampleError:
    """At the field that it is about, where it begins with one or ends with its path."""
    field = why.rpartition("$.data.")[2].split(" ")[0].strip("`")
    key = f"{one.key}.with.{field}" if field in one.given.with_ else one.key
    return _WrongExampleError(key, f"{one.given.event}: {why}")


def _standing(made: Iterable[Made]) -> Iterable[Made]:
    last: dict[str, Made] = {}
    for one in made:
        thing, _, _ = one.id.rpartition("-")
        last[thing] = one
        if isinstance(one, Task | Alert) and one.data.change == "retracted":
            del last[thing]
    return last.values()


def _occurrences(given: Iterable[Given], settings: CoreSettings, key: str) -> Iterator[_Occurrence]:
    at = -1
    for number, one in enumerate(given):
        place = f"{key}.given.{number}"
        if at < 0 and one.at.startswith("+"):
            raise _WrongExampleError(f"{place}.at", "the first event needs a day")
        at = _instant(one.at, at, settings)
        for repeat in range(one.times):
            if repeat:
                at += parse_duration(one.every or "")
            yield _Occurrence(at, one, place)


def _instant(text: str, before: int, settings: CoreSettings) -> int:
    if text.startswith("+"):
        return before + parse_duration(text[1:])
    return to_millis(datetime.fromisoformat(text).replace(tzinfo=settings.time_zone))


def _tell(message: Raw, record: Record, context: Context) -> Sequence[Effect]:
    """What follows where the customer is told of a broadcast; it is a customer from then on."""
    told = context.facts.announced[(message.key or b"").decode()]
    record.store()
    round_ = Round((Pending(message.offset, told),), message.offset, visit=(CUSTOMER,), upto=None)
    return apply_chunk([], lambda _: record, context, (), round_).effects


def _message(one: _Occurrence, number: int, settings: CoreSettings) -> Any:
    event = _TYPES[one.given.event]
    data, missing = event_data(event, one.given.with_, number, settings.base_currency)
    if missing:
        told = ", ".join(missing)
        raise _WrongExampleError(one.key, f"{one.given.event}: say in `with` {told}")
    subject = CUSTOMER
    if issubclass(event, Fact):
        subject = f"{event.kind()}:{data.get(event.kind())}"
    value = {
        "specversion": "1.0",
        "id": f"example-{number}",
        "source": "/example",
        "type": one.given.event,
        "subject": subject,
        "time": from_millis(one.at),
        "data": data,
    }
    key = subject.encode()
    partition = partition_of(key, settings.partitions)
    return raw_of(event.topic, partition, number, key, msgspec.json.encode(value), ())


def _differences(
    expected: list[Expected], made: list[Made], settings: CoreSettings
) -> Iterator[str]:
    """What is not as expected, in words."""
    for place, (one, other) in enumerate(zip(expected, made, strict=False), 1):
        if not _is_like(one, other, settings):
            yield f"number {place} is {_told(other, settings)}, expected was {_asked(one)}"
    for one in expected[len(made) :]:
        yield f"{_asked(one)} was expected and did not come"
    for other in made[len(expected) :]:
        yield f"{_told(other, settings)} came and was not expected"


def _is_like(expected: Expected, made: Made, settings: CoreSettings) -> bool:
    if expected.action != _action(made):
        return False
    day = (expected.at or "").replace("T", " ")
    name, texts = _name(made), [*made.data.text.values()]
    if not name:
        texts += made.data.title.values()
    said = expected.part == name or any(_says(text, expected.part) for text in texts)
    return said and _local(made, settings).startswith(day)


def _says(text: str, part: str) -> bool:
    """Whether a part of a text is there: a number as a whole, not as the end of a longer one."""
    before = r"(?<!\d)(?<!\d[.,])" if part[:1].isdigit() else ""
    after = r"(?!\d)(?![.,]\d)" if part[-1:].isdigit() else ""
    return re.search(before + re.escape(part) + after, text) is not None


def _action(made: Made) -> Action:
    match made:
        case Task():
            return "task"
        case Alert():
            return "alert"
        case ProcessRequested():
            return "process"
    return made.data.action


def _name(made: Made) -> str:
    """What is named and not only said."""
    match made:
        case ProcessRequested():
            return made.data.process
        case ActionTaken():
            return made.data.name
    return ""


def _local(made: Made, settings: CoreSettings) -> str:
    return f"{made.time.astimezone(settings.time_zone):%Y-%m-%d %H:%M:%S}"


def _told(made: Made, settings: CoreSettings) -> str:
    said = _name(made) or made.data.text["en"]
    return f"the {_action(made)} “{said}” of {_local(made, settings)}"


def _asked(expected: Expected) -> str:
    when = f" of {expected.at}" if expected.at else ""
    return f"the {expected.action} “{expected.part}”{when}"
