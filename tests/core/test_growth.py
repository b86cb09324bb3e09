"""A record never grows by more than what is reckoned without encoding it."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings

from schemas.events import EVENT_TYPES
from schemas.packed import pack
from schemas.record import MAX_RECORD_BYTES, Record
from streams.growth import ACTION_BYTES, bounded, growth
from streams.inputs import Raw
from streams.intake import read
from streams.step import step
from tests.core.test_any_order import RULES, SETTINGS, WHO, histories
from tests.core.test_limit import LETTERS, Maker
from tests.core.test_limit import raws as large
from tests.rules.test_weight import windows


def reserved(record: Record) -> int:
    """What of a record is bounded as a whole."""
    kept, scores = record.activity, record.profile.scores
    parts = (kept.played, kept.judging, kept.began, kept.owed, kept.greetings, scores)
    return sum(len(pack(one)) for one in parts)


def grow(raws: Iterable[Raw]) -> int:
    """Step each, and see how it grows. Returns how many did so."""
    record, rules = Record(WHO), RULES.rules
    before, grown = (0, 0), 0
    for raw in raws:
        event = read(raw, SETTINGS).input
        assert event is not None
        stepped = step(record, event, RULES)
        after = len(record.encode()), reserved(record)
        assert after[1] <= rules.reserve
        if stepped.applied and not stepped.armed and before[0]:
            more = after[0] - before[0] - max(0, after[1] - before[1])
            assert more < growth(event, len(raw.value or b""), stepped, rules), event.type
            grown += more > 0
        before = after
    return grown


@settings(deadline=None, max_examples=30)
@given(histories(60))
def test_whatever_happens(raws: list[Raw]) -> None:
    grow(raws)


@pytest.mark.parametrize("letter", LETTERS, ids=len)
def test_with_the_largest_events_there_are(letter: str) -> None:
    maker, random = Maker(letter), Random(letter)
    raws = [one for kind in sorted(EVENT_TYPES) for one in large(maker, kind, 8, 3)]
    random.shuffle(raws)
    assert grow(raws) > len(raws) / 3


def test_many_windows_of_one_type() -> None:
    rules = SETTINGS.compiled(windows(200))
    assert rules.room("page.viewed")[1] > 200 * 30 > rules.room("logged.in")[1] == 0


def test_a_record_is_encoded_where_its_bound_does_not_tell() -> None:
    record, rules = Record(WHO), RULES.rules
    small = MAX_RECORD_BYTES - rules.reserve
    assert bounded(record, small, rules) == small
    assert bounded(record, small + 1, rules) == len(record.encode()) < ACTION_BYTES
