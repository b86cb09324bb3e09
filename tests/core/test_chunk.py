"""Chunks: their order, any split of it, faults that leave no trace, and the oracle's replay."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from schemas.effects import Effect, Profile
from schemas.position import Position, Range
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams import chunk as chunk_module
from streams import effects as effects_module
from streams import growth as growth_module
from streams.chunk import Outcome, apply_chunk, merge
from streams.context import Context, CoreSettings
from streams.expressions.values import render
from streams.inputs import Input, Raw
from streams.intake import Entry, read
from streams.reach import Reach
from streams.replay import replay
from streams.rules import amending as amending_module
from streams.rules import listening as listening_module
from streams.rules.compiler import compile_rules
from tests.core.strategies import CUSTOMERS, DAY, NOW, PARTITIONS, message, partitions, transfer
from tests.shipped import GREETINGS, shipped_rules

SETTINGS = CoreSettings(
    partitions=PARTITIONS, duplicates_kept=8, lateness=20 * DAY, greetings=GREETINGS
)
CONTEXT = Context(now=NOW, rules=SETTINGS.compiled(shipped_rules()), settings=SETTINGS)


def entries_of(topics: Mapping[str, Sequence[Raw]]) -> dict[str, list[Entry]]:
    return {topic: [read(raw, SETTINGS) for raw in raws] for topic, raws in topics.items()}


class Store:
    """Records between chunks: decoded ones live on, as in the lane's cache."""

    def __init__(self, *, cached: bool) -> None:
        self.cached = cached
        self.live: dict[str, Record] = {}
        self.stored: dict[str, bytes] = {}

    def load(self, customer: str) -> Record:
        if self.cached and customer in self.live:
            return self.live[customer]
        return Record(customer, self.stored.get(customer))

    def apply(self, entries: Sequence[Entry], context: Context = CONTEXT) -> Outcome:
        outcome = apply_chunk(entries, self.load, context)
        self.live.update(outcome.records)
        for customer, record in outcome.records.items():
            assert record.stored is not None
            self.stored[customer] = record.stored
        return outcome


def order_by_hand(topics: Mapping[str, Sequence[Entry]]) -> list[Entry]:
    """The order's definition, written down as a sort."""
    keyed = []
    for topic, entries in topics.items():
        for n, entry in enumerate(entries):
            times = [
                e.input.at for e in entries[: n + 1] if e.input and e.input.at <= CONTEXT.horizon
            ]
            keyed.append((max(times, default=-1), topic, entry.raw.offset, entry))
    return [entry for *_, entry in sorted(keyed, key=lambda k: k[:3])]


@given(partitions())
def test_the_order_is_its_definition(topics: dict[str, Sequence[Raw]]) -> None:
    entries = entries_of(topics)
    assert merge(entries, CONTEXT) == order_by_hand(entries)


@given(partitions(), st.integers(1, 20), st.integers(1, 4_000), st.data())
def test_a_limited_chunk_is_a_prefix_of_each_topic_in_its_own_order(
    topics: dict[str, Sequence[Raw]], count: int, size: int, data: st.DataObject
) -> None:
    entries = entries_of(topics)
    more = data.draw(st.sets(st.sampled_from(sorted(topics)))) if topics else set()
    taken = merge(entries, CONTEXT, count, size, more)
    ranges = {t: [e for e in taken if e.raw.topic == t] for t in topics}
    for topic, some in ranges.items():
        assert some == list(entries[topic][: len(some)])
    assert merge(ranges, CONTEXT) == taken
    assert len(taken) <= count
    assert bool(taken) == any(entries.values())


@given(partitions(), st.data())
def test_chunks_of_what_came_in_so_far_follow_the_order_of_all(
    topics: dict[str, Sequence[Raw]], data: st.DataObject
) -> None:
    """As long as something is held of each topic that has more: whatever comes in pieces."""
    whole = {
        topic: sorted(
            (one for one in entries if one.input and one.input.at <= CONTEXT.horizon),
            key=lambda one: (one.input.at, one.raw.offset) if one.input else (),
        )
        for topic, entries in entries_of(topics).items()
    }
    came = dict.fromkeys(whole, 0)
    taken: list[Entry] = []
    while len(taken) < sum(map(len, whole.values())):
        gone = Counter(one.raw.topic for one in taken)
        for topic, entries in whole.items():
            least = min(gone[topic] + 1, len(entries))
            came[topic] = data.draw(st.integers(max(came[topic], least), len(entries)))
        buffers = {topic: whole[topic][gone[topic] : came[topic]] for topic in whole}
        more = {topic for topic in whole if came[topic] < len(whole[topic])}
        chunk = merge(buffers, CONTEXT, data.draw(st.integers(1, 10)), more=more)
        assert chunk
        taken += chunk
    assert [one.raw for one in taken] == [one.raw for one in merge(whole, CONTEXT)]


@settings(deadline=None)
@given(partitions(), st.lists(st.integers(1, 10), min_size=1), st.booleans())
def test_any_split_of_one_order_gives_the_same(
    topics: dict[str, Sequence[Raw]], sizes: list[int], cached: bool
) -> None:
    ordered = merge(entries_of(topics), CONTEXT)
    whole, split = Store(cached=False), Store(cached=cached)
    expected = whole.apply(ordered)
    effects: list[Effect] = []
    letters = []
    n = 0
    while ordered:
        size = sizes[n % len(sizes)]
        outcome = split.apply(ordered[:size])
        effects += outcome.effects
        letters += outcome.dead_letters
        ordered, n = ordered[size:], n + 1
    assert effects == expected.effects
    assert letters == expected.dead_letters
    assert split.stored == whole.stored


@settings(deadline=None)
@given(partitions(), st.lists(st.integers(1, 12), min_size=1))
def test_the_replay_of_a_journal_is_what_happened(
    topics: dict[str, Sequence[Raw]], sizes: list[int]
) -> None:
    """Chunks as a runner takes them: limited merges, each with its position in the journal."""
    buffers, store = entries_of(topics), Store(cached=True)
    places = dict.fromkeys(topics, 0)
    journal, effects, reach = list[Position](), list[Effect](), Reach({})
    while any(buffers.values()):
        taken = merge(buffers, CONTEXT, sizes[len(journal) % len(sizes)])
        ranges = {}
        for topic in topics:
            mine = [e.raw.offset + 1 for e in taken if e.raw.topic == topic]
            end = mine[-1] if mine else places[topic]
            ranges[topic] = Range(topic_id="", start=places[topic], end=end)
            places[topic] = end
            buffers[topic] = buffers[topic][len(mine) :]
        number, before = len(journal) + 1, reach
        reach = reach.advance(CONTEXT.rules.asked, CONTEXT.partition_time, number, CONTEXT.edge)
        effects += store.apply(taken, replace(CONTEXT, reach=reach)).effects
        journal.append(
            Position(
                partition=0,
                number=number,
                ranges=ranges,
                now=CONTEXT.now,
                rules="-",
                reach=None if reach.kept is before.kept else {**reach.kept},
            )
        )
    records: dict[str, bytes] = {}
    replayed = replay(
        journal,
        lambda topic, _, start, end: [r for r in topics[topic] if start <= r.offset < end],
        lambda _: CONTEXT,
        records,
    )
    assert [effect for outcome in replayed for effect in outcome.effects] == effects
    assert records == store.stored


def test_a_journal_with_a_gap_is_refused() -> None:
    position = Position(partition=3, number=2, ranges={}, now=NOW, rules="-")
    with pytest.raises(ValueError, match="partition 3: position 2 follows 0"):
        list(replay([position], lambda *_: [], lambda _: CONTEXT))


def raws_of_one_customer(count: int) -> list[Raw]:
    who = CUSTOMERS[0]
    return [
        Raw(
            "bank.core",
            0,
            n,
            who.encode(),
            message(
                "transfer.completed",
                transfer(n, 100 + n, "US"),
                at=NOW - DAY + n,
                customer=who,
                event_id=str(n),
            ),
        )
        for n in range(count)
    ]


def test_a_failing_fold_loses_its_event_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    raws = raws_of_one_customer(6)
    whole = Store(cached=True)
    without = whole.apply([read(raw, SETTINGS) for n, raw in enumerate(raws) if n != 3])
    folding = chunk_module.step

    def step_that_fails(record: Record, event: object, context: Context) -> object:
        stepped = folding(record, event, context)  # type: ignore[arg-type]  # passed through
        if event.offset == 3:  # type: ignore[attr-defined]  # passed through
            raise ZeroDivisionError("after the record was half changed")
        return stepped

    monkeypatch.setattr(chunk_module, "step", step_that_fails)
    store = Store(cached=True)
    outcome = store.apply([read(raw, SETTINGS) for raw in raws])
    (letter,) = outcome.dead_letters
    assert (letter.reason, letter.offset) == ("failed", 3)
    assert letter.detail == "folding transfer.completed raised ZeroDivisionError"
    assert store.stored == whole.stored
    assert outcome.effects == without.effects
    assert outcome.counts["applied"] == 5


def test_each_event_of_a_customer_is_stepped_again_once_though_many_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raws = raws_of_one_customer(60)
    whole = Store(cached=True)
    whole.apply([read(raw, SETTINGS) for n, raw in enumerate(raws) if n % 2])
    folding, steps = chunk_module.step, list[int]()

    def step_that_fails(record: Record, event: Input, context: Context) -> object:
        steps.append(event.offset)
        stepped = folding(record, event, context)
        if event.offset % 2 == 0:
            raise ZeroDivisionError("after the record was half changed")
        return stepped

    monkeypatch.setattr(chunk_module, "step", step_that_fails)
    store = Store(cached=True)
    outcome = store.apply([read(raw, SETTINGS) for raw in raws])
    assert len(outcome.dead_letters) == 30
    assert store.stored == whole.stored
    assert max(Counter(steps).values()) == 2


def test_a_record_beyond_its_limit_refuses_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth_module, "MAX_RECORD_BYTES", 1_400)
    store = Store(cached=True)
    outcome = store.apply([read(raw, SETTINGS) for raw in raws_of_one_customer(30)])
    assert {letter.reason for letter in outcome.dead_letters} == {"oversize"}
    assert outcome.counts["applied"] > 0
    assert all(len(stored) <= 1_400 for stored in store.stored.values())


def test_a_second_event_of_the_same_id_is_dropped_or_a_conflict() -> None:
    first = raws_of_one_customer(1)[0]
    again = structs.replace(first, offset=1)
    other = structs.replace(first, offset=2, value=(first.value or b"").replace(b'"100"', b'"101"'))
    outcome = Store(cached=True).apply([read(raw, SETTINGS) for raw in (first, again, other)])
    assert outcome.counts["applied"] == 1
    assert outcome.counts["duplicates"] == 1
    assert [(d.reason, d.offset) for d in outcome.dead_letters] == [("conflict", 2)]


def test_the_future_is_a_dead_letter_that_moves_nothing() -> None:
    raws = raws_of_one_customer(2)
    early = replace(CONTEXT, now=NOW - 2 * DAY)
    entries = {"bank.core": [read(raw, SETTINGS) for raw in raws]}
    assert [e.raw.offset for e in merge(entries, early)] == [0, 1]
    outcome = apply_chunk(merge(entries, early), Record, early)
    assert {letter.reason for letter in outcome.dead_letters} == {"future"}
    assert not outcome.records


def page_rule(name: str, text: str, **changes: object) -> RuleDefinition:
    """One that tells of every page."""
    said = {"text": {"en": text, "zh": text or "x"}}
    written: dict[str, object] = {
        "id": name,
        "version": 1,
        "title": {"en": "A", "zh": "甲"},
        "kind": "care",
        "owner": "tests",
        "status": "live",
        "on": "page.viewed",
        "if": "page == page",
        "then": {"task": said, "tag": name},
    }
    return RuleDefinition.model_validate(written | changes)


def viewed(n: int, page: str, at: int = NOW - DAY) -> Entry:
    who = CUSTOMERS[0]
    value = message("page.viewed", {"page": page}, at=at, customer=who, event_id=str(n))
    return read(Raw("bank.app", 0, n, who.encode(), value), SETTINGS)


@pytest.mark.parametrize("status", ["live", "shadow"])
def test_an_oversize_effect_is_its_own_rule_s_failure(status: str) -> None:
    rules = [page_rule("loud", "{page}" * 80, status=status), page_rule("sound", "{page}")]
    context = replace(CONTEXT, rules=compile_rules(rules))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(effects_module, "MAX_EFFECT_BYTES", 20_000)
        outcome = apply_chunk([viewed(0, "p" * 200)], Record, context)
        assert not outcome.dead_letters
        assert outcome.counts["rule_failures:loud"] == 1
        assert outcome.counts["fired:sound"] == 1
        assert outcome.counts["fired:loud"] == outcome.counts["shadow:loud"] == 0
        record = outcome.records[CUSTOMERS[0]]
        assert record.activity.visits.pages == 1
        assert [*record.profile.tags] == ["sound"], "nothing is done by halves"
        made = [one for one in outcome.effects if not isinstance(one, Profile)]
        assert {one.data.rule.id for one in made} == {"sound"}
        outcome = apply_chunk([viewed(0, "p")], Record, context)
    assert not any("failures" in name for name in outcome.counts)


SQUARED = {"a0": f"{'9' * 24} * count(page.viewed, 7d)"} | {
    f"a{n}": f"a{n - 1} * a{n - 1}" for n in range(1, 12)
}
"""Numbers that would have twice the digits each time."""


@pytest.mark.parametrize("status", ["live", "shadow"])
@pytest.mark.parametrize("amendable", [False, True])
def test_numbers_that_grow_without_end_are_unknown(status: str, amendable: bool) -> None:
    task = {"task": {"text": {"en": "{a0} {a11}", "zh": "x"}}}
    squaring = page_rule("squaring", "", status=status, let=SQUARED, then=task, amendable=amendable)
    rules = compile_rules([squaring, page_rule("sound", "{page}")])
    outcome = apply_chunk([viewed(0, "p")], Record, replace(CONTEXT, rules=rules))
    assert not outcome.dead_letters
    assert outcome.counts["fired:sound"] == 1
    made = [one for one in outcome.effects if not isinstance(one, Profile)]
    values = next(one.data.values for one in made if one.data.rule.id == "squaring")
    assert values["a0"] == "9" * 24
    assert {values[f"a{n}"] for n in range(1, 12)} == {"–"}


@pytest.mark.parametrize("amendable", [False, True])
def test_a_rule_that_raises_when_it_shows_its_values_loses_its_own_effects(
    monkeypatch: pytest.MonkeyPatch, amendable: bool
) -> None:
    def break_down(value: object) -> str:
        if value == 404:
            raise ValueError(value)
        return render(value)

    monkeypatch.setattr(listening_module, "render", break_down)
    monkeypatch.setattr(amending_module, "render", break_down)
    task = {"task": {"text": {"en": "{a}", "zh": "{a}"}}}
    broken = page_rule("broken", "", let={"a": "400 + 4"}, then=task, amendable=amendable)
    rules = compile_rules([broken, page_rule("sound", "{page}")])
    outcome = apply_chunk(
        [viewed(0, "p"), viewed(1, "q", NOW - 2 * DAY)], Record, replace(CONTEXT, rules=rules)
    )
    assert not outcome.dead_letters
    assert outcome.counts["applied"] == outcome.counts["fired:sound"] == 2
    assert outcome.counts["rule_failures:broken"] >= 2
