"""Windows that are filled from history are as if their rule had always been there."""

from contextlib import suppress
from random import Random
from typing import Any

from hypothesis import given, settings
from msgspec.structs import replace

from schemas.events import EVENT_TYPES
from schemas.events.core import TransferReversedData
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.base_amounts import LargeBaseAmountError, NoBaseAmountError
from streams.context import Context, CoreSettings
from streams.durations import DAY_MS
from streams.filling import fill, share_of, states_of
from streams.inputs import Input
from streams.reach import WHOLE, Reach
from streams.rules.ruleset import RuleSet
from streams.step import step
from tests.rules.maker import DECLARED, random_input
from tests.rules.test_compiled import RANDOMS, random_rule
from tests.rules.twin import ZONE

SETTINGS = CoreSettings(partitions=1, lateness=20 * DAY_MS, attributes=DECLARED, time_zone=ZONE)
VALID: dict[str, Any] = {"currency": "CNY", "counterparty_country": None}
"""A transfer that is kept for its reversal is read again."""
LATER = 2_000_000_000_000


def random_rules(random: Random, first: int, count: int) -> list[RuleDefinition]:
    rules = [random_rule(random, number) for number in range(first, first + count)]
    return [one.model_copy(update={"status": "live"}) for one in rules]


def random_events(random: Random) -> list[Input]:
    """Mostly in the order of their times; some transfers are reversed."""
    inputs = [random_input(random) for _ in range(random.randint(1, 30))]
    inputs.sort(key=lambda one: one.at + random.choice([0, 0, 5, 30]) * DAY_MS)
    found: list[Input] = []
    for number, one in enumerate(inputs):
        event: Any = replace(one.event, id=str(number))
        if one.type == "transfer.completed":
            event = replace(event, data=replace(event.data, transfer=f"T{number}", **VALID))
        found.append(replace(one, event=event, offset=number))
        transfers = [each for each in found if each.type == "transfer.completed"]
        if transfers and random.random() < 0.3:
            found.append(reversal(random.choice(transfers), number))
    return found


def reversal(of: Input, number: int) -> Input:
    said: Any = of.event.data
    names = set(TransferReversedData.__struct_fields__) & set(said.__struct_fields__)
    data = TransferReversedData(**{name: getattr(said, name) for name in names})
    event: Any = EVENT_TYPES["transfer.reversed"](
        specversion="1.0",
        id=f"reversal-{number}",
        source="/test",
        subject="C1",
        time=None,  # type: ignore[arg-type]  # rules use Input.at
        data=data,
    )
    return Input(event, "transfer.reversed", of.at + 1, "bank.core", 0, number)


def run(record: Record, events: list[Input], rules: RuleSet, reach: Reach = WHOLE) -> Record:
    for one in events:
        with suppress(NoBaseAmountError, LargeBaseAmountError):
            step(record, one, Context(LATER, rules, SETTINGS, reach=reach))
    return record


def values(rules: RuleSet, new: list[RuleDefinition], keys: set[str], record: Record) -> Any:
    """What the new rules read: now, and as late events would."""
    latest = record.activity.latest
    aggregates = rules._aggregates
    found = {}
    for at in (latest, latest - 3 * DAY_MS, latest - 15 * DAY_MS):
        readings = aggregates.read(record.windows, at)
        for rule in new:
            for one in rules._running[rule.id].aggregates():
                if rules_key(rules, rule.id, one) in keys:
                    found[at, repr(one)] = readings[aggregates.number_of(one)]
    return found


def rules_key(rules: RuleSet, rule: str, aggregate: Any) -> str:
    asked = dict.fromkeys(rules._running[rule].aggregates())
    keys = [look.key for look in rules.looks_back(rule)]
    return dict(zip(asked, keys, strict=True))[aggregate]


@settings(max_examples=150, deadline=None)
@given(RANDOMS)
def test_filled_at_any_time_it_is_as_if_it_had_always_been_there(random: Random) -> None:
    old, new = random_rules(random, 0, 1), random_rules(random, 10, 2)
    before, after = SETTINGS.compiled(old), SETTINGS.compiled([*old, *new])
    events = random_events(random)
    cut = random.randint(0, len(events))
    filled = random.randint(cut, len(events))

    always = run(Record("C1"), events, after)
    reach = Reach({}).advance(before.asked, 1, 1)
    record = run(Record("C1"), events[:cut], before, reach)
    reach = reach.advance(after.asked, 2, 2)
    run(record, events[cut:filled], after, reach)
    numbers = {key: 2 for key in after.asked if reach.lacks(key, 2)}
    history = run(Record("C1"), events[:cut], after)
    share = share_of("C1", numbers, 1, 0, states_of(history, numbers))
    context = Context(LATER, after, SETTINGS, reach=reach)
    record = Record("C1", record.encode())
    assert fill(record, share, context) == bool(numbers)
    once = record.encode()
    assert not fill(record, share, context)
    assert record.encode() == once
    run(record, events[filled:], after, reach.fill(numbers, 1))
    keys = set(numbers)
    assert values(after, new, keys, record) == values(after, new, keys, always)
