"""The record of a customer is the same from any split and any allowed order of its events.

Allowed is what comes within the lateness. Two events of one instant about one thing have no other
order than that of their coming, so the times here differ.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import ActivitySection
from schemas.effects import encode_effect
from schemas.profile import ProfileSection
from schemas.record import Record
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.inputs import Raw
from streams.intake import read
from streams.rules.compiler import compile_rules
from tests.core.all_types import DECLARED, payloads
from tests.core.strategies import CUSTOMERS, DAY, NOW, PARTITIONS, message
from tests.shipped import GREETINGS, shipped_rules

WHO = CUSTOMERS[0]
SETTINGS = CoreSettings(
    partitions=PARTITIONS,
    duplicates_kept=200,
    attributes=DECLARED,
    greetings=GREETINGS,
)
RULES = Context(now=NOW, rules=SETTINGS.compiled(shipped_rules()), settings=SETTINGS)
"""For events in the order of time: windows for events that are later would not fit a record."""
NO_RULES = Context(now=NOW, rules=compile_rules([]), settings=replace(SETTINGS, lateness=500 * DAY))
"""What rules keep (windows, cooldowns, timers) has tests of its own, and remembers offsets."""
SPAN = 450 * DAY
"""More than the months that are kept."""


@st.composite
def histories(draw: st.DrawFn, size: int = 25) -> list[Raw]:
    """What happened to one customer, in the order of time."""
    ages = draw(st.lists(st.integers(0, SPAN), unique=True, min_size=1, max_size=size))
    raws, legs, back = [], set[tuple[str, str]](), set[tuple[str, str]]()
    for n, age in enumerate(sorted(ages, reverse=True)):
        kind, data = draw(payloads)
        if kind == "transfer.completed":
            # Each leg of a transfer has one event.
            same = f"T{n % 4}", data["direction"]
            data["transfer"] = f"T{n}" if same in legs else same[0]
            legs.add((data["transfer"], data["direction"]))
        elif kind == "transfer.reversed":
            # Of two reversals of one transfer the first to arrive counts.
            same = f"T{n % 8}", data["direction"]
            data["transfer"] = f"T{n}" if same in back else same[0]
            back.add((data["transfer"], data["direction"]))
        elif kind in ("card.authorised", "card.settled"):
            data["payment"] = f"P{n % 4}"
        elif kind == "card.reversed":
            data["payment"] = f"P{n}" if (f"P{n % 8}", "") in back else f"P{n % 8}"
            back.add((data["payment"], ""))
        value = message(kind, data, at=NOW - age, customer=WHO, event_id=str(n))
        raws.append(Raw("bank.core", 0, n, WHO.encode(), value))
    return raws


def record_of(raws: Sequence[Raw], context: Context, splits: Sequence[int] = ()) -> Record:
    """Stepped in chunks that begin at `splits`; nothing of it may be refused."""
    records = {WHO: Record(WHO)}
    for start, end in pairwise([0, *sorted(splits), len(raws)]):
        entries = [read(raw, SETTINGS) for raw in raws[start:end]]
        outcome = apply_chunk(entries, lambda who: Record(who, records[who].stored), context)
        assert not outcome.dead_letters, outcome.dead_letters[0].detail
        assert outcome.encoded == [encode_effect(one) for one in outcome.effects]
        records.update(outcome.records)
    return Record(WHO, records[WHO].stored)


def told(record: Record) -> tuple[ProfileSection, ActivitySection, dict[int, Any]]:
    """What the fold made; which events came last is of the order's own."""
    months = {number: record.months.get(number) for number in record.months}
    record.activity.recent, record.activity.months = bytearray(), {}
    return record.profile, record.activity, months


@settings(deadline=None)
@given(histories(), st.data())
def test_any_split_gives_the_same_bytes(raws: list[Raw], data: st.DataObject) -> None:
    splits = data.draw(st.lists(st.integers(0, len(raws)), max_size=4))
    assert record_of(raws, RULES, splits).stored == record_of(raws, RULES).stored


@settings(deadline=None, max_examples=200)
@given(histories(), st.data())
def test_any_order_gives_the_same_record(raws: list[Raw], data: st.DataObject) -> None:
    order = data.draw(st.permutations(raws))
    moved = [Raw(one.topic, 0, n, one.key, one.value) for n, one in enumerate(order)]
    assert told(record_of(moved, NO_RULES)) == told(record_of(raws, NO_RULES))
