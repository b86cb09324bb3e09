"""A backtest is the plain loop over all events in the order of their times, whoever's they are."""

import json
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from agents.backtest import spill
from agents.backtest.archived import read_files
from agents.backtest.job import Question
from agents.backtest.run import Result, run
from agents.cli.main import run as vipcare
from agents.core import core_settings
from config.load import load_settings
from schemas.effects import Profile, decode_effect
from schemas.envelope import to_millis
from schemas.events import INTERNAL
from schemas.events.reference import GLOBAL_TOPICS
from schemas.position import Walk
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.backtest.tally import Span
from streams.broadcasts import begin, round_of, walked
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.due import DueList
from streams.facts import FactBook
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.partitioning import partition_of
from streams.reach import Reach
from tests.shipped import shipped_rules

NOW = 2**50


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank with everything that can be wrong with its events."""
    path = tmp_path_factory.mktemp("bank") / "bank.jsonl"
    asked = "--customers 60 --days 60 --for 10s --duplicates 0.05 --late 0.05 --broken 0.01"
    assert vipcare(["bank", "--out", str(path), *asked.split(), "--mis-keyed", "0.01"]) == 0
    return path


def core() -> CoreSettings:
    return core_settings(load_settings())


def shipped() -> list[RuleDefinition]:
    return shipped_rules()


def asked(rules: list[RuleDefinition], live: list[RuleDefinition] | None = None) -> Question:
    settings = core()
    return Question(rules, live or [], settings, Span(0, 0, settings.time_zone))


def backtest(path: Path, question: Question, out: Path, cores: int = 1) -> tuple[Result, list[str]]:
    """What it counts, and the effects."""
    with out.open("wb") as file:
        result = run(read_files([path]), question, NOW, cores, lambda *_: None, file)
    return result, out.read_text().splitlines()


def plain_loop(path: Path, rules: list[RuleDefinition]) -> tuple[list[str], Counter[str]]:
    """Effects and counts; every record in one dict, timers fired for all customers at each time."""
    settings, book = core(), FactBook()
    compiled = settings.compiled(rules)
    entries: list[Entry] = []
    counts: Counter[str] = Counter()
    for one in read_files([path]):
        raw = one.raw(partition_of(one.key, settings.partitions))
        if one.topic in GLOBAL_TOPICS:
            book.take(Raw(one.topic, 0, one.offset, one.key, one.value))
            continue
        entry = read(raw, settings)
        if entry.input and 0 <= one.sent < entry.input.at - settings.future_tolerance:
            counts["dead:future"] += 1
        else:
            entries.append(entry)
    effects, more = _loop(entries, settings, compiled, book)
    return effects, counts + more


def _loop(
    entries: list[Entry], settings: CoreSettings, rules: Any, book: FactBook
) -> tuple[list[str], Counter[str]]:
    facts = book.snapshot()
    store: dict[str, bytes] = {}
    dues, counts, effects = DueList(), Counter[str](), list[str]()
    moments = [one.at for one in (*settings.holidays, *facts.announced.values())]
    times = [entry.input.at for entry in entries if entry.input]
    end, reach = max(times), Reach({}).advance(rules.asked, min(times), 0, 0)
    waiting: list[Entry | int] = [at for at in sorted(moments) if at <= end]
    waiting = sorted([*waiting, *entries], key=_place)
    walk, reached = Walk(), -1
    while waiting:
        entry = waiting.pop(0)
        at = _place(entry)[0]
        due = dues.take(at, 10**6)
        context = Context(NOW, rules, settings, at, facts, reach=reach)
        walk = begin(walk, reached, 2**62, context)
        round_ = round_of(walk, context)
        if walk.queue:
            round_ = round_._replace(visit=tuple(sorted(store)), upto=None)
            walk = walked(walk, None)
            if walk.queue:
                waiting.insert(0, entry)
                entry = at
        reached = at
        taken = [] if isinstance(entry, int) else [entry]
        load = lambda one: Record(one, store.get(one))  # noqa: E731
        outcome = apply_chunk(taken, load, context, due, round_)
        counts += outcome.counts
        for customer, record in outcome.records.items():
            store[customer] = record.stored or b""
            dues.change(customer, record.header.next_due)
        made = zip(outcome.effects, outcome.encoded, strict=True)
        effects += [value.decode() for one, value in made if not isinstance(one, Profile)]
        for told in outcome.told:  # as the worker sends it, as the archive would hold it
            key = told.customer.encode()
            place = partition_of(key, settings.partitions)
            waiting.insert(0, read(Raw(INTERNAL, place, 0, key, told.value), settings))
    return effects, counts


def _place(entry: Entry | int) -> tuple[int, str, int]:
    if isinstance(entry, int):
        return entry, "", 0
    return entry.input.at if entry.input else -1, entry.raw.topic, entry.raw.offset


def telling(condition: str) -> RuleDefinition:
    text = {"en": "A", "zh": "甲"}
    return RuleDefinition.model_validate(
        {
            "id": "tells",
            "version": 1,
            "title": text,
            "kind": "care",
            "owner": "tests",
            "status": "live",
            "on": ["campaign.announced", "holiday.approaching"],
            "if": condition,
            "then": {"task": {"text": text}},
        }
    )


def test_it_is_the_plain_loop(bank: Path, tmp_path: Path) -> None:
    rules = [*shipped(), telling("count(page.viewed, 30d) > 3")]
    expected, counts = plain_loop(bank, rules)
    result, effects = backtest(bank, asked(rules), tmp_path / "out")
    assert sorted(effects) == sorted(expected)
    assert len(effects) > 10
    tally = result.tally
    # A customer is woken once for all that is due by a look, and each looks at other times.
    compared = counts.keys() - {"undeclared", "timers"}
    assert {name: tally.counts[name] for name in compared} == {
        name: counts[name] for name in compared
    }
    assert tally.rules["tells"].became["fired"] > 3
    fired = sum(one.became.total() for one in tally.rules.values())
    assert fired == sum(count for name, count in counts.items() if name.startswith("fired:"))


def test_who_is_only_named_by_others_is_told_as_a_customer_alone(tmp_path: Path) -> None:
    day = "2026-03-0{}T08:00:00Z".format

    def event(kind: str, number: int, subject: str, **data: Any) -> dict[str, Any]:
        head = {"specversion": "1.0", "id": f"{kind}-{number}-{subject}", "source": "/bank"}
        return head | {"type": kind, "subject": subject, "time": day(number), "data": data}

    days = {"starts_on": "2026-03-08", "ends_on": "2026-03-09"}
    titles = {"category": "golf", "title_en": "Party", "title_zh": "聚会"}
    told = event("campaign.announced", 3, "campaign:P", campaign="P", **titles, **days)
    events = [
        event("relation.added", 1, "C1", other="child", relation="child"),
        event("relation.added", 2, "C1", other="later", relation="child"),
        event("logged.in", 1, "C2", channel="app"),
        told,
        event("logged.in", 4, "later", channel="app"),
        event("relation.added", 5, "C2", other="last", relation="spouse"),
        event("logged.in", 6, "last", channel="app"),
        event("logged.in", 7, "C1", channel="app"),
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, events)))
    rules = [telling("true")]
    expected, counts = plain_loop(path, rules)
    result, effects = backtest(path, asked(rules), tmp_path / "out")
    assert sorted(effects) == sorted(expected)
    customers = {decode_effect(one.encode()).subject for one in effects}
    assert customers == {"C1", "C2", "later", "last"}
    assert counts["told"] == result.tally.counts["told"] == 4


def test_files_and_several_processes_say_the_same(bank: Path, tmp_path: Path) -> None:
    rules = shipped()
    one, effects = backtest(bank, asked(rules), tmp_path / "one")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "ROOM", 100_000)
        two, same = backtest(bank, asked(rules), tmp_path / "two", cores=2)
    assert (two.tally, two.messages) == (one.tally, one.messages)
    assert same == effects


def test_what_is_nested_too_deep_is_a_dead_letter(bank: Path, tmp_path: Path) -> None:
    path = tmp_path / "deep.jsonl"
    path.write_bytes(b'{"more":' + b"[" * 10_000 + b"\n" + bank.read_bytes())
    whole, _ = backtest(bank, asked([]), tmp_path / "whole")
    more, _ = backtest(path, asked([]), tmp_path / "more")
    assert more.tally.counts - whole.tally.counts == {"dead:broken": 1}


def test_what_it_counts_is_what_it_writes(bank: Path, tmp_path: Path) -> None:
    result, effects = backtest(bank, asked(shipped()), tmp_path / "out")
    said = [json.loads(line) for line in effects]
    told = [one["data"] | {"customer": one["subject"]} for one in said]
    for rule, tally in result.tally.rules.items():
        mine = [one for one in told if one["rule"]["id"] == rule]
        assert tally.actions.total() == len(mine)
        assert tally.days.total() == tally.seen
        assert tally.became.total() == len(
            {(one["customer"], one["cause"]["id"], one["waited_until"]) for one in mine}
        )
    work = [one for one in told if "task_id" in one or "alert_id" in one]
    assert sum(load.total() for load in result.tally.workload.values()) == len(work)


def test_only_what_is_within_the_span_is_counted(bank: Path, tmp_path: Path) -> None:
    question = asked(shipped())
    whole, effects = backtest(bank, question, tmp_path / "whole")
    start, end = whole.question.span.start, whole.question.span.end
    middle = start + (end - start) * 2 // 3
    pieces = []
    for number, span in enumerate(((start, middle), (middle, end))):
        part = Question(question.rules, [], question.core, Span(*span, question.core.time_zone))
        _, written = backtest(bank, part, tmp_path / str(number))
        times = [to_millis(decode_effect(line.encode()).time) for line in written]
        assert all(span[0] <= at < span[1] for at in times)
        pieces.append(written)
    assert all(pieces)
    assert sorted(chain(*pieces)) == sorted(effects)


def test_against_the_live_version(bank: Path, tmp_path: Path) -> None:
    rules = {rule.id: rule for rule in shipped()}
    live = rules["unusual-amount"]
    wider = live.model_copy(update={"if_": live.if_.replace("4 * mean", "2 * mean"), "version": 9})
    assert wider.if_ != live.if_
    mine, _ = backtest(bank, asked([wider], [live]), tmp_path / "mine")
    theirs, _ = backtest(bank, asked([live]), tmp_path / "theirs")
    against = mine.tally.of("unusual-amount").against
    assert against.both + against.here == mine.tally.of("unusual-amount").became["fired"]
    assert against.both + against.live == theirs.tally.of("unusual-amount").became["fired"]
    assert against.here


def test_outcomes_that_the_crm_reported(bank: Path, tmp_path: Path) -> None:
    rules = [rule for rule in shipped() if rule.id == "large-deposit-maturing"]
    _, effects = backtest(bank, asked(rules), tmp_path / "out")
    tasks = [json.loads(line) for line in effects]
    assert len(tasks) >= 3
    told = [
        ("outcome.recorded", {"outcome": "won"}),
        ("task.declined", {"reason": "no time"}),
        ("outcome.recorded", {"outcome": "other"}),
    ]
    lines = [
        json.dumps(
            {
                "specversion": "1.0",
                "id": f"told-{number}",
                "source": "/crm",
                "type": kind,
                "subject": task["subject"],
                "time": "2026-02-01T00:00:00Z",
                "data": {"task": task["data"]["task_id"], "by": "RM1", **data},
            }
        )
        for number, (task, (kind, data)) in enumerate(zip(tasks, told, strict=False))
    ]
    path = tmp_path / "with-outcomes.jsonl"
    path.write_bytes(bank.read_bytes() + "\n".join(lines).encode() + b"\n")
    settings = core()
    span = Span(0, to_millis(decode_effect(effects[-1].encode()).time) + 10**9, settings.time_zone)
    result, _ = backtest(path, Question(rules, [], settings, span), tmp_path / "again")
    tally = result.tally.of(rules[0].id)
    assert tally.outcomes == {"won": 1, "declined": 1, "other": 1}
    assert tally.precision == 0.5
