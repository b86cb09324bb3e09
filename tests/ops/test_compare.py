"""A dropped, doubled, invented or altered effect is found, whichever reader has it."""

import random
from datetime import timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.reconciliation.compare import SHOWN, Book, Codec, Comparison, Differences
from agents.reconciliation.latency import percentile
from schemas.effects import Effect, decode_effect, encode_effect
from tests.ops.effects import alert, altered, effects, leaves, profile, task

CODEC = Codec[Effect](encode_effect, decode_effect)
several = st.lists(effects, max_size=12, unique_by=lambda effect: effect.id)


def _compare(reference: list[Effect], other: list[Effect]) -> Differences:
    differences = Differences()
    book = Book("effect", CODEC, differences)
    for effect in reference:
        book.add(effect.id, effect)
    comparison = Comparison(book, "the other")
    for effect in other:
        comparison.see(effect.id, effect)
    comparison.finish()
    return differences


@given(several, st.randoms())
def test_the_same_in_any_order_is_no_difference(found: list[Effect], order: random.Random) -> None:
    other = [decode_effect(encode_effect(effect)) for effect in found]
    order.shuffle(other)
    assert _compare(found, other).told() == []


@given(several.filter(bool), st.data())
def test_one_dropped_doubled_or_invented_is_one_difference(
    found: list[Effect], data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(found))
    without = [effect for effect in found if effect is not one]
    for reference, other, says in (
        (found, without, "the other has not got it"),
        (without, found, "the other has it, its topic has not"),
        (found, [*found, one], "the other has it more than once"),
        ([*found, one], found, "stands in its topic more than once"),
    ):
        [line] = _compare(reference, other).told()
        assert line.startswith(f"effect {one.id}")
        assert says in line


@pytest.mark.parametrize(
    ("effect", "path"),
    [(effect, path) for effect in (task(1), alert(1), profile(1)) for path in leaves(effect)],
    ids=lambda given: ".".join(given) if isinstance(given, tuple) else type(given).__name__,
)
def test_every_altered_field_is_found_by_name(effect: Effect, path: tuple[str, ...]) -> None:
    other = altered(effect, path)
    for one, two in ((effect, other), (other, effect)):
        [line] = _compare([one], [two]).told()
        assert line == f"effect {effect.id}: the other and its topic differ in {'.'.join(path)}"


def test_another_type_under_the_same_id_is_found() -> None:
    other = msgspec.structs.replace(alert(1), id=task(1).id)
    [line] = _compare([task(1)], [other]).told()
    assert line.endswith("differ in its type")


def test_spelling_is_no_difference() -> None:
    """The order of a mapping's keys, the zone of an instant, the zeros of a number."""
    one = task(1)
    values = dict(reversed(one.data.values.items()))
    time = one.time.astimezone(timezone(timedelta(hours=8)))
    data = msgspec.structs.replace(one.data, values=values)
    assert _compare([one], [msgspec.structs.replace(one, data=data, time=time)]).told() == []
    text = encode_effect(profile(1))
    assert b'"10.50"' in text
    assert _compare([profile(1)], [decode_effect(text.replace(b'"10.50"', b'"10.5"'))]).told() == []


def test_no_value_is_told_and_lines_are_bounded() -> None:
    found: list[Effect] = [profile(number) for number in range(50)]
    other = [altered(effect, ("data", "name")) for effect in found]
    differences = _compare(found, other)
    assert differences.total == 50
    assert len(differences.told()) == SHOWN + 1
    assert differences.told()[-1] == f"and {50 - SHOWN} more"
    assert "王" not in "".join(differences.told())


@given(st.lists(st.integers(0, 1_000), min_size=1), st.integers(1, 100))
def test_percentile_is_the_smallest_that_so_many_do_not_exceed(
    values: list[int], percent: int
) -> None:
    enough = [v for v in values if sum(w <= v for w in values) * 100 >= percent * len(values)]
    assert percentile(sorted(values), percent) == min(enough)
    assert percentile([], percent) is None
