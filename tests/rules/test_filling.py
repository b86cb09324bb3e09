"""Windows that are filled from history are as if their rule had always been there."""

from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any, get_type_hints

from hypothesis import given, settings
from msgspec.structs import replace

from schemas.events import EVENT_TYPES
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
from tests.lane.rules import rule
from tests.rules.maker import DECLARED, random_input
from tests.rules.maker import TYPES as USUAL
from tests.rules.test_compiled import RANDOMS, random_rule
from tests.rules.twin import ZONE

SETTINGS = CoreSettings(partitions=1, lateness=20 * DAY_MS, attributes=DECLARED, time_zone=ZONE)
TYPES = (*USUAL, "card.authorised")
REVERSALS = {
    "transfer.completed": ("transfer.reversed", "transfer"),
    "card.authorised": ("card.reversed", "payment"),
}
"""What may be taken back: by which type, and what names it."""
VALID: dict[str, dict[str, Any]] = {
    "transfer.completed": {"currency": "CNY", "counterparty_country": None},
    "card.authorised": {"currency": "CNY", "country": "CN", "category": "5812"},
}
"""What is kept for its reversal is read again."""
LATER = 2_000_000_000_000


GROWN = [("5d", "60d"), ("20d", "40d"), ("this month", "last 4 months")]
"""Windows of buckets of the same width."""
KEPT_FOR_LONGER = (
    "count(transfer.completed, {})",
    "sum(base_amount, transfer.completed, {})",
    "max(base_amount, transfer.completed, {})",
    "last(base_amount, transfer.completed, {})",
    "distinct(channel, transfer.completed, {})",
)


def showing(name: str, aggregate: str, length: str) -> RuleDefinition:
    then = {"alert": {"text": {"en": "A", "zh": "甲"}}}
    said = rule(name, then=then, **{"on": "logged.in", "if": f"known({aggregate.format(length)})"})
    return RuleDefinition.model_validate(said)


def random_rules(random: Random, first: int, count: int) -> list[RuleDefinition]:
    rules = [random_rule(random, number, TYPES) for number in range(first, first + count)]
    return [one.model_copy(update={"status": "live"}) for one in rules]


def random_events(random: Random) -> list[Input]:
    """Mostly in the order of their times; some are taken back, payments in part."""
    inputs = [random_input(random, types=TYPES) for _ in range(random.randint(1, 30))]
    inputs.sort(key=lambda one: one.at + random.choice([0, 0, 5, 30]) * DAY_MS)
    found: list[Input] = []
    for number, one in enumerate(inputs):
        event: Any = replace(one.event, id=str(number))
        if one.type in REVERSALS:
            event = replace(event, data=replace(event.data, **VALID[one.type]))
            named = {REVERSALS[one.type][1]: f"T{number}"}
            event = replace(event, data=replace(event.data, **named))
        found.append(replace(one, event=event, offset=number))
        reversible = [each for each in found if each.type in REVERSALS]
        if reversible and random.random() < 0.4:
            found.append(reversal(random, random.choice(reversible), number))
    return found


def reversal(random: Random, of: Input, number: int) -> Input:
    kind = REVERSALS[of.type][0]
    struct = EVENT_TYPES[kind]
    data_struct: Any = get_type_hints(struct)["data"]
    said: Any = of.event.data
    names = set(data_struct.__struct_fields__) & set(said.__struct_fields__)
    told = {name: getattr(said, name) for name in names}
    if of.type == "card.authorised" and random.random() < 0.5:
        told["amount"] = said.amount / 2
    event: Any = struct(
        specversion="1.0",
        id=f"reversal-{number}",
        source="/test",
        subject="C1",
        time=None,  # type: ignore[arg-type]  # rules use Input.at
        data=data_struct(**told),
    )
    return Input(event, kind, of.at + 1, "bank.core", 0, number)


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
        for name in (each.id for each in new):
            for one in rules._running[name].aggregates():
                if rules_key(rules, name, one) in keys:
                    found[at, repr(one)] = readings[aggregates.number_of(one)]
    return found


def rules_key(rules: RuleSet, name: str, aggregate: Any) -> str:
    asked = dict.fromkeys(rules._running[name].aggregates())
    keys = [look.key for look in rules.looks_back(name)]
    return dict(zip(asked, keys, strict=True))[aggregate]


@settings(max_examples=80, deadline=None)
@given(RANDOMS)
def test_filled_at_any_time_it_is_as_if_it_had_always_been_there(random: Random) -> None:
    old, new = random_rules(random, 0, 1), random_rules(random, 10, 2)
    if random.random() < 0.5:
        shorter, longer = random.choice(GROWN)
        one = random.choice(KEPT_FOR_LONGER)
        old, new = [*old, showing("short", one, shorter)], [*new, showing("long", one, longer)]
    before, after = SETTINGS.compiled(old), SETTINGS.compiled([*old, *new])
    events = random_events(random)
    cut = random.randint(0, len(events))
    filled = random.randint(cut, len(events))

    always = run(Record("C1"), events, after)
    reach = Reach({}).advance(before.asked, 1, 1, 0)
    record = run(Record("C1"), events[:cut], before, reach)
    now = max([1, *(one.at for one in events[:cut])])
    reach = reach.advance(after.asked, now, 2, now - SETTINGS.lateness)
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


def test_what_is_left_of_a_payment_fills_its_window() -> None:
    """It came before the rule, and a part of it was taken back before the rule was warmed."""
    then = {"alert": {"text": {"en": "A", "zh": "甲"}}}
    condition = "sum(base_amount, card.authorised, 30d) > 0"
    said = rule("new", then=then, **{"on": "logged.in", "if": condition})
    rules = SETTINGS.compiled([RuleDefinition.model_validate(said)])
    none = SETTINGS.compiled([])
    [key] = rules.asked
    random = Random(1)
    paid = random_input(random, types=["card.authorised"])
    told = {**VALID[paid.type], "amount": Decimal(8), "base_amount": Decimal(8)}
    event: Any = replace(paid.event, data=replace(paid.event.data, **told))
    paid = replace(paid, event=event)
    half = next(one for one in iter(lambda: reversal(random, paid, 1), None) if _amount(one) == 4)
    record = run(Record("C1"), [paid], none, Reach({}).advance(none.asked, 1, 1, 0))
    reach = Reach({}).advance(none.asked, 1, 1, 0).advance(rules.asked, 2, 2, 0)
    run(record, [half], rules, reach)
    history = run(Record("C1"), [paid], rules)
    share = share_of("C1", {key: 2}, 1, 0, states_of(history, [key]))
    assert fill(record, share, Context(LATER, rules, SETTINGS, reach=reach))
    assert max(values(rules, list(rules.definitions), {key}, record).values()) == 4


def _amount(one: Input) -> Any:
    data: Any = one.event.data
    return data.amount
