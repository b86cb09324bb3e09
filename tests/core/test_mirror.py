"""A relation is seen from both sides: what the other customer is told, and that it counts once."""

import pytest

from schemas.decode import BrokenEventError, decode_event
from schemas.effects import Profile
from schemas.events.core import RelationAdded, RelationData, RelationRemoved
from schemas.profile import Relation
from schemas.record import Record
from streams.chunk import Outcome, apply_chunk
from streams.inputs import Raw
from streams.intake import read
from tests.core.strategies import CUSTOMERS, DAY, NOW, message
from tests.core.test_any_order import NO_RULES, SETTINGS

ONE, OTHER = CUSTOMERS[:2]
AT = NOW - DAY


def raw(kind: str, event_id: str, *, at: int = AT, other: str = OTHER, **more: object) -> Raw:
    data = {"other": other, "relation": "spouse", **more}
    value = message(kind, data, at=at, customer=ONE, event_id=event_id)
    return Raw("bank.core", 0, int(event_id), ONE.encode(), value)


def run(record: Record, *raws: Raw) -> Outcome:
    return apply_chunk([read(one, SETTINGS) for one in raws], lambda _: record, NO_RULES)


def internal(outcome: Outcome, first: int = 0) -> list[Raw]:
    """What was told, as it stands on `vip.internal`."""
    return [
        Raw("vip.internal", 0, first + n, told.customer.encode(), told.value)
        for n, told in enumerate(outcome.told)
    ]


def test_the_other_customer_sees_it_from_the_other_side() -> None:
    one, other = Record(ONE), Record(OTHER)
    told = internal(run(one, raw("relation.added", "1")))
    assert one.profile.relations == {f"{OTHER} spouse": Relation(at=AT)}
    outcome = run(other, *told)
    assert not outcome.dead_letters
    assert other.profile.relations == {f"{ONE} <spouse": Relation(at=AT)}
    assert not outcome.told, "a mirror is not mirrored"
    run(other, *internal(run(one, raw("relation.removed", "2", at=AT + 1)), first=1))
    assert not one.profile.relations[f"{OTHER} spouse"].stands
    assert not other.profile.relations[f"{ONE} <spouse"].stands


def test_who_is_only_named_by_others_is_not_summarised_before_an_event_of_its_own() -> None:
    told = internal(run(Record(ONE), raw("relation.added", "1")))
    stranger = Record(OTHER)
    assert not run(stranger, *told).effects
    assert not run(stranger, *internal(run(Record(ONE), raw("relation.removed", "2")), 1)).effects
    value = message("logged.in", {"channel": "app"}, at=AT, customer=OTHER, event_id="3")
    (summary,) = run(stranger, Raw("bank.app", 0, 3, OTHER.encode(), value)).effects
    assert isinstance(summary, Profile)
    again = internal(run(Record(ONE), raw("relation.added", "4", at=AT + 1)), 2)
    (changed,) = run(stranger, *again).effects
    assert isinstance(changed, Profile)
    assert changed.data.relations == [f"{ONE} <spouse"], "it is a customer by now"


def test_told_twice_counts_once() -> None:
    again = [internal(run(Record(ONE), raw("relation.added", "1")))[0] for _ in range(2)]
    assert again[0].value == again[1].value, "a replay tells the same event"
    other = Record(OTHER)
    run(other, again[0])
    assert run(other, again[1]).counts["duplicates"] == 1


def test_a_duplicate_and_a_refused_event_tell_nothing() -> None:
    one = Record(ONE)
    event = raw("relation.added", "1")
    assert len(run(one, event, event).told) == 1
    assert not run(one, raw("relation.added", "1", at=AT + 5)).told, "a conflict"


def test_one_that_is_told_has_the_time_and_an_id_of_its_own() -> None:
    event = raw("relation.removed", "7")
    (told,) = internal(run(Record(ONE), event))
    assert event.value is not None
    assert told.value is not None
    said, heard = decode_event(event.value), decode_event(told.value)
    assert isinstance(heard, RelationRemoved)
    assert (heard.time, heard.subject) == (said.time, OTHER)
    assert heard.data == RelationData(other=ONE, relation="spouse", reverse=True)
    assert (heard.source, heard.id) != (said.source, said.id)


def test_a_relation_to_oneself_is_refused() -> None:
    outcome = run(Record(ONE), raw("relation.added", "1", other=ONE))
    assert outcome.counts["dead:broken"] == 1
    assert not outcome.told
    value = message(
        "relation.added", {"other": ONE, "relation": "x"}, at=AT, customer=ONE, event_id="1"
    )
    with pytest.raises(BrokenEventError, match="a relation to oneself"):
        decode_event(value)


def test_relations_are_events_of_the_bank_too() -> None:
    told = raw("relation.added", "1", reverse=True)
    assert told.value is not None
    assert isinstance(decode_event(told.value), RelationAdded)
    assert not run(Record(ONE), told).told


def test_a_bank_cannot_tell_the_other_side() -> None:
    value = raw("relation.added", "1", reverse=True).value
    assert value is not None
    with pytest.raises(BrokenEventError, match=r"reverse is vipcare's own: tell a relation once"):
        decode_event(value.replace(b'"/vipcare"', b'"/bank/core"'))
    decode_event(value)
