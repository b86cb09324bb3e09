"""What rules do to the record themselves: in which order, told how, held to plain sets."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import unpack_line
from schemas.effects import ActionTaken, Decision, Effect, ProcessRequested, Profile
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.fold.basics import MAX_TAGS
from streams.growth import ACTION_BYTES
from streams.inputs import Raw
from streams.intake import read
from streams.rules.compiler import compile_rules
from tests.core.strategies import CUSTOMERS, DAY, NOW, PARTITIONS, message

WHO = CUSTOMERS[0]
SETTINGS = CoreSettings(partitions=PARTITIONS)
PAGES = ("golf", "tea", "funds")
TEXT = {"en": "{page_topic}", "zh": "看了 {page_topic}"}


def rule(name: str, condition: str, then: dict[str, Any], **more: Any) -> RuleDefinition:
    told = {"id": name, "version": 2, "title": {"en": "A", "zh": "甲"}, "kind": "care"}
    told |= {"owner": "Tests", "status": "live", "on": "page.viewed"}
    return RuleDefinition.model_validate(told | {"if": condition, "then": then} | more)


def viewed(number: int, topic: str, at: int) -> Raw:
    value = message(
        "page.viewed",
        {"page": "/x", "page_topic": topic},
        at=at,
        customer=WHO,
        event_id=str(number),
    )
    return Raw("bank.app", 0, number, WHO.encode(), value)


def run(
    rules: list[RuleDefinition], *raws: Raw, record: Record | None = None, due: int = -1
) -> list[Effect]:
    """Each message in a chunk of its own."""
    kept = record or Record(WHO)
    context = Context(NOW, compile_rules(rules), SETTINGS, partition_time=due)
    made: list[Effect] = []
    for raw in raws:
        outcome = apply_chunk([read(raw, SETTINGS)], lambda _: kept, context)
        assert not outcome.dead_letters
        made += outcome.effects
    if due >= 0:
        made += apply_chunk([], lambda _: kept, context, due=[WHO]).effects
    return made


def told(made: list[Effect]) -> list[tuple[str, str, str, bool]]:
    actions = (one.data for one in made if isinstance(one, ActionTaken))
    return [(one.rule.id, one.action, one.name, one.changed) for one in actions]


def test_everything_that_a_rule_does_is_told_in_its_order_with_where_it_comes_from() -> None:
    then = {
        "note": {"about": "tea", "text": TEXT},
        "interest": "tea",
        "tag": "drinker",
        "untag": "guest",
        "process": {"name": "tasting", "text": TEXT},
        "alert": {"text": TEXT},
        "task": {"text": TEXT},
    }
    record = Record(WHO)
    record.edit_profile().tags["guest"] = 0
    made = run([rule("tea", "page_topic == 'tea'", then)], viewed(7, "tea", NOW), record=record)
    assert [type(one).__name__ for one in made] == [
        *("Task", "Alert", "ProcessRequested"),
        *["ActionTaken"] * 4,
        "Profile",
    ]
    process, untag, tag, interest, note = made[2:7]
    assert isinstance(process, ProcessRequested)
    assert (process.data.process, process.data.text["en"]) == ("tasting", "tea")
    assert isinstance(note, ActionTaken)
    assert (note.data.name, note.data.text) == ("tea", {"en": "tea", "zh": "看了 tea"})
    for one in (process, untag, tag, interest, note):
        assert isinstance(one, ProcessRequested | ActionTaken)
        data = one.data
        assert (data.rule.id, data.rule.version, data.title["en"]) == ("tea", 2, "A")
        assert data.values["page_topic"] == "tea"
        assert (data.cause.topic, data.cause.offset, data.cause.id) == ("bank.app", 7, "7")
    assert len({one.id for one in made}) == len(made)
    summary = made[-1]
    assert isinstance(summary, Profile)
    assert (summary.data.tags, summary.data.interest_sources) == (["drinker"], {"tea": "rule:tea"})
    assert summary.data.contacts == 1
    assert summary.data.last_contact_at is None, "a note is no contact"
    (entry,) = unpack_line(record.activity.line)
    assert (entry.type, entry.about, entry.name) == ("note", "tea", "tea")


def test_what_is_there_already_stays_and_changes_no_summary() -> None:
    then = {"tag": "golf", "interest": "golf", "untag": "tea"}
    rules = [rule("golf", "page_topic == 'golf'", then)]
    record = Record(WHO)
    first = run(rules, viewed(1, "golf", NOW - DAY), record=record)
    assert told(first) == [
        ("golf", "untag", "tea", False),
        ("golf", "tag", "golf", True),
        ("golf", "interest", "golf", True),
    ]
    again = run(rules, viewed(2, "golf", NOW), record=record)
    assert [changed for *_, changed in told(again)] == [False] * 3
    assert not any(isinstance(one, Profile) for one in again)


def test_a_step_sees_no_tag_that_it_sets_and_the_next_one_does() -> None:
    on = rule("a", "'lit' not in tags", {"tag": "lit"})
    off = rule("b", "'lit' in tags", {"untag": "lit"})
    made = run([off, on], *(viewed(n, "tea", NOW - DAY + n) for n in range(3)))
    assert [(name, action) for name, action, *_ in told(made)] == [
        ("a", "tag"),
        ("b", "untag"),
        ("a", "tag"),
    ]


def test_actions_are_done_in_the_order_of_ids_however_rules_are_read() -> None:
    rules = [rule(name, "true", {"tag": name}) for name in ("c", "a", "b")]
    assert [name for name, *_ in told(run(rules, viewed(1, "tea", NOW)))] == ["a", "b", "c"]


def test_what_is_withheld_changes_nothing() -> None:
    then = {"process": {"name": "p"}, "tag": "golf", "note": {"about": "x", "text": TEXT}}
    record = Record(WHO)
    made = run(
        [rule("on-trial", "true", then, status="shadow")], viewed(1, "tea", NOW), record=record
    )
    (decision,) = (one.data for one in made if isinstance(one, Decision))
    assert decision.actions == ["process", "tag", "note"]
    assert (decision.title["en"], decision.text) == ("A", {})
    assert not record.profile.tags
    assert not unpack_line(record.activity.line)


def test_a_rule_that_waited_acts_and_its_summary_is_of_that_time() -> None:
    waiting = rule(
        "maturing",
        "true",
        {"tag": "maturing"},
        on="deposit.placed",
        wait={"days": 7, "before": "matures_on"},
    )
    later = rule("second", "'maturing' in tags", {"tag": "seen"}, on="deposit.placed")
    later = later.model_copy(update={"wait": waiting.wait.model_copy(update={"at": "10:00"})})  # type: ignore[union-attr]  # it has one
    told_of = {"deposit": "D1", "principal": "1", "currency": "CNY", "base_principal": "1"}
    told_of |= {"rate": "0.02", "matures_on": "2023-11-20"}
    value = message("deposit.placed", told_of, at=NOW - 20 * DAY, customer=WHO, event_id="1")
    raw = Raw("bank.core", 0, 1, WHO.encode(), value)
    made = run([waiting, later], raw, due=NOW)
    assert [name for name, *_ in told(made)] == ["maturing", "second"]
    summaries = [one for one in made if isinstance(one, Profile)]
    assert [one.data.tags for one in summaries] == [[], ["maturing"], ["maturing", "seen"]]
    assert [f"{one.time:%d %H}" for one in summaries[1:]] == ["13 09", "13 10"]


def test_a_rule_adds_to_a_record_what_a_bound_allows() -> None:
    long = {f"r{n}": f"{n:02}" + "甲" * 20 for n in range(MAX_TAGS)}
    rules = [
        rule(name, "true", {"tag": tag, "interest": tag, "note": {"about": tag, "text": TEXT}})
        for name, tag in long.items()
    ]
    record = Record(WHO)
    before = len(record.encode())
    run(rules, viewed(1, "tea", NOW), record=record)
    assert len(record.profile.tags) == MAX_TAGS
    assert len(record.encode()) - before < ACTION_BYTES * len(rules)
    run([rule("r", "true", {"tag": "one more"})], viewed(2, "tea", NOW), record=record)
    assert len(record.profile.tags) == MAX_TAGS
    assert record.profile.dropped["tags"] == 1


conditions = st.sampled_from(
    ["true", "'a' in tags", "'b' not in tags", "page_topic == 'golf'", "not (page_topic == 'tea')"]
)
words = st.sampled_from(["a", "b", "golf"])
thens = st.fixed_dictionaries({"tag": words}, optional={"interest": words}) | st.fixed_dictionaries(
    {"untag": words}, optional={"note": st.just({"about": "x", "text": TEXT})}
)


@settings(max_examples=150, deadline=None)
@given(
    wanted=st.lists(st.tuples(conditions, thens), min_size=1, max_size=4),
    topics=st.lists(st.sampled_from(PAGES), min_size=1, max_size=8),
    splits=st.sets(st.integers(1, 7)),
)
def test_actions_are_those_of_plain_sets(
    wanted: list[tuple[str, dict[str, Any]]], topics: list[str], splits: set[int]
) -> None:
    rules = [rule(f"rule-{n}", condition, then) for n, (condition, then) in enumerate(wanted)]
    raws = [viewed(n, topic, NOW - DAY + n) for n, topic in enumerate(topics)]
    record = Record(WHO)
    made = told(run(rules, *raws, record=record))
    tags: set[str] = set()
    interests: set[str] = set()
    notes = 0
    expected: list[tuple[str, str, str, bool]] = []
    for topic in topics:
        holds = {
            "true": True,
            "'a' in tags": "a" in tags,
            "'b' not in tags": "b" not in tags,
            "page_topic == 'golf'": topic == "golf",
            "not (page_topic == 'tea')": topic != "tea",
        }
        held = [(n, then) for n, (condition, then) in enumerate(wanted) if holds[condition]]
        for n, then in held:
            for action, kept in (("untag", tags), ("tag", tags), ("interest", interests)):
                name = then.get(action)
                if name is not None:
                    changed = (name in kept) is (action == "untag")
                    (kept.discard if action == "untag" else kept.add)(name)
                    expected.append((f"rule-{n}", action, name, changed))
            if "note" in then:
                notes += 1
                expected.append((f"rule-{n}", "note", "x", True))
    assert made == expected
    assert record.profile.tags.keys() == tags
    assert record.profile.interests.keys() == interests
    assert record.activity.contacts == notes
    assert _in_chunks(rules, raws, splits) == record.encode()


def _in_chunks(rules: list[RuleDefinition], raws: list[Raw], splits: set[int]) -> bytes:
    """The record, stored and read between chunks that end elsewhere."""
    context = Context(NOW, compile_rules(rules), SETTINGS)
    stored: bytes | None = None
    ends = [*sorted(one for one in splits if one < len(raws)), len(raws)]
    for begin, end in zip([0, *ends], ends, strict=False):
        record = Record(WHO, stored)
        entries = [read(raw, SETTINGS) for raw in raws[begin:end]]
        apply_chunk(entries, lambda _, record=record: record, context)
        stored = record.encode()
    assert stored is not None
    return stored
