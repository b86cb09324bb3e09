"""Random rules over random events: customers played in a row are customers stepped one by one."""

from collections import Counter
from dataclasses import replace
from random import Random

import msgspec
import pytest
from hypothesis import given, settings

from schemas.effects import Effect, Profile, encode_effect
from schemas.place import Place
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.backtest.facts import FactsInTime
from streams.backtest.play import Trial, in_order, play
from streams.backtest.whys import ELSE, MOST, Whys
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.inputs import Raw
from streams.intake import Entry
from streams.rules.ruleset import RuleSet
from tests.rules.maker import DECLARED, TYPES, random_input
from tests.rules.test_compiled import RANDOMS, random_rule
from tests.rules.twin import ZONE

CORE = CoreSettings(partitions=1, time_zone=ZONE, attributes=DECLARED)

_DAYS = 3 * 86_400_000
"""For which events are remembered, milliseconds: some come again later."""


def random_entries(random: Random) -> list[Entry]:
    """Some have one name and other content, near and far from each other; some come again."""
    entries: list[Entry] = []
    for number in range(random.randint(1, 30)):
        sent = [one.input for one in entries if one.input is not None]
        again = sent and not random.randrange(5)
        given = random.choice(sent) if again else random_input(random, spread_days=40)
        event = given.event
        if not again:
            event = msgspec.structs.replace(event, id=f"e{random.randrange(40)}")
        given = msgspec.structs.replace(given, event=event, offset=number)
        entries.append(Entry(Raw("bank.core", 0, number, b"C1", b"x" * 400), given))
    return in_order(entries)


def one_by_one(
    entries: list[Entry], rules: RuleSet, core: CoreSettings
) -> tuple[list[bytes], Counter[str], Whys]:
    """Each event a chunk of its own, on a record that is stored and read in between."""
    stored, effects, counts = None, list[Effect](), Counter[str]()
    whys = Whys()
    for entry in entries:
        assert entry.input is not None
        context = Context(2**62, rules, core, entry.input.at)
        record = Record("C1", stored)
        outcome = apply_chunk([entry], lambda _, one=record: one, context, ["C1"])
        counts += outcome.counts
        effects += outcome.effects
        for one in outcome.dead_letters:
            whys.add(one.reason, one.detail, [Place(one.topic, one.partition, one.offset)])
        if "C1" in outcome.records:
            stored = outcome.records["C1"].stored
    told = [encode_effect(one) for one in effects if not isinstance(one, Profile)]
    return told, counts, whys


@settings(max_examples=100, deadline=None)
@given(RANDOMS)
def test_played_in_a_row_is_stepped_one_by_one(random: Random) -> None:
    types = random.sample(TYPES, 3)
    rules: list[RuleDefinition] = [
        random_rule(random, number, types) for number in range(random.randint(1, 3))
    ]
    core = replace(CORE, duplicates_kept=random.choice((1, 2, 3, 64)), duplicates_for=_DAYS)
    compiled, entries = core.compiled(rules), random_entries(random)
    last = entries[-1].input
    assert last is not None
    played = play("C1", entries, Trial(compiled, core, FactsInTime([]), last.at))
    expected, counts, whys = one_by_one(entries, compiled, core)
    assert [encode_effect(one) for one in played.effects] == expected
    assert played.counts == counts
    assert played.whys == whys


@settings(max_examples=100, deadline=None)
@given(RANDOMS)
def test_what_is_remembered_matters_to_events_of_one_name_alone(random: Random) -> None:
    core = replace(CORE, duplicates_kept=random.choice((1, 2, 3)), duplicates_for=_DAYS)
    entries = random_entries(random)
    if random.randrange(2):
        random.shuffle(entries)  # as they came
    rule = random_rule(random, 0, random.sample(TYPES, 3))
    last = max(one.input.at for one in entries if one.input)
    trial = Trial(core.compiled([rule]), core, FactsInTime([]), last)
    some = play("C1", entries, trial)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "streams.backtest.play._named_again", lambda turns: b"\1" * len(turns[0][0])
        )
        every = play("C1", entries, trial)
    assert (some.effects, some.counts, some.whys) == (every.effects, every.counts, every.whys)


def test_details_that_quote_are_bounded() -> None:
    whys, more = Whys(), Whys()
    for number in range(MOST + 7):
        place = Place("bank.core", 0, number)
        whys.add("broken", f"value {number}", [place])
        more.add("failed", f"error {number}", [place], 2)
    whys.merge(more)
    assert whys.times["broken", "value 0"] == 1
    assert whys.times["broken", ELSE] == 7
    assert [one.offset for one in whys.places["broken", ELSE]] == [MOST, MOST + 1, MOST + 2]
    assert whys.times["failed", ELSE] == 2 * (MOST + 7)
    assert whys.times.total() == 3 * (MOST + 7)
