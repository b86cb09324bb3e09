"""Rules that can be amended come into force, are withheld, change and go."""

from typing import Any

import pytest

from schemas.rules import RuleDefinition, Status
from streams.context import Context
from streams.durations import DAY_MS
from streams.rules.amending import PLAYED_BYTES
from streams.rules.compiler import NO_RULES, compile_rules
from streams.rules.errors import RuleErrors
from streams.step import step
from streams.waits.absence import MAX_SHOWN, VALUE_BYTES
from tests.rules.maker import ORIGIN
from tests.rules.test_amendable import ALERT, HOUR, Run, reversal, rule, told, transfer

ONCE = {"if": "count(transfer.completed, 7d) == 2"}
STRETCH = ORIGIN // (7 * 24 * HOUR) * 7 * 24 * HOUR


def as_is(status: Status, **changes: Any) -> RuleDefinition:
    return rule(**ONCE, status=status, **changes)


@pytest.mark.parametrize("late", [True, False], ids=["late", "reversal"])
def test_what_was_sent_is_taken_back_though_the_rule_is_withheld_now(late: bool) -> None:
    run = Run(as_is("live"))
    run.take(transfer(ORIGIN, "a"), transfer(ORIGIN + HOUR, "b"))
    run.put_in_force(as_is("shadow"))
    run.reload()
    changes = transfer(ORIGIN - HOUR, "z") if late else reversal(ORIGIN + 2 * HOUR, "b")
    assert told(run.take(changes)) == [("retracted", "120", 2)]
    assert not run.standing


def test_what_was_withheld_is_not_taken_back_though_the_rule_is_live_now() -> None:
    run = Run(as_is("shadow"))
    run.take(transfer(ORIGIN, "a"), transfer(ORIGIN + HOUR, "b"))
    run.put_in_force(as_is("live"))
    assert not run.take(transfer(ORIGIN - HOUR, "z"))


def test_what_is_sent_again_goes_on_from_its_last_version() -> None:
    """Each version is one more than the last that was sent (`standing` checks it)."""
    run = Run(as_is("live"))
    run.take(transfer(ORIGIN, "a"), transfer(ORIGIN + HOUR, "b"))
    run.put_in_force(as_is("shadow"))
    run.take(transfer(ORIGIN - HOUR, "z"))
    run.put_in_force(as_is("live"))
    assert told(run.take(reversal(ORIGIN + 2 * HOUR, "z"))) == [("raised", "120", 3)]
    assert len(run.standing) == 1


def test_a_new_rule_does_nothing_about_what_was_known_before() -> None:
    big, small = rule(id="big", **{"if": "base_amount > 1000"}), rule(**{"if": "base_amount > 50"})
    run = Run(big)
    run.take(transfer(ORIGIN, "a"), transfer(ORIGIN + HOUR, "b"))
    run.put_in_force(big, small)
    assert not run.take(transfer(ORIGIN - HOUR, "z", "10"))
    assert len(run.take(transfer(ORIGIN - 2 * HOUR, "y"))) == 1


def test_a_new_version_does_nothing_about_what_was_known_before() -> None:
    run = Run(rule(**{"if": "base_amount > 60"}))
    run.take(transfer(ORIGIN, "a"), transfer(ORIGIN + HOUR, "b", "70"))
    run.put_in_force(rule(version=2, **{"if": "base_amount > 50"}))
    assert not run.take(transfer(ORIGIN - HOUR, "z", "10"))
    assert [one.data.change for one in run.take(reversal(ORIGIN + 2 * HOUR, "b"))] == ["retracted"]


@pytest.mark.parametrize(
    ("before", "after"), [("alert", "task"), ("task", "alert"), ("alert", "both"), ("both", "task")]
)
def test_what_another_version_made_is_taken_back_as_what_it_is(before: str, after: str) -> None:
    text = {"text": {"en": "{total}", "zh": "{total}"}}
    then = {"alert": {"alert": text}, "task": {"task": text}, "both": {"alert": text, "task": text}}
    run = Run(rule(**{"if": "total > 10"}, then=then[before]))
    made = {type(one).__name__ for one in run.take(transfer(ORIGIN, "a"))}
    run.put_in_force(rule(version=2, **{"if": "total > 10"}, then=then[after]))
    run.reload()
    taken = run.take(reversal(ORIGIN + HOUR, "a"))
    assert {type(one).__name__ for one in taken} == made
    assert {(one.data.change, one.data.version) for one in taken} == {("retracted", 2)}
    assert not run.standing


def test_what_was_made_while_rules_looked_at_other_fields_is_taken_back() -> None:
    """Be it the rule's own version that looked at others, or another rule of the same type."""
    first, beside = rule(), rule(id="beside", **{"if": "count(transfer.completed, 7d) >= 2"})
    run = Run(first, beside)
    made = run.take(transfer(ORIGIN, "a"), transfer(ORIGIN + HOUR, "b"))
    assert len(made) == 2
    run.put_in_force(rule(version=2, **{"if": "total > 100 and purpose == 'rent'"}), beside)
    run.reload()
    run.take(transfer(ORIGIN + 3 * HOUR, "d"), transfer(ORIGIN + 2 * HOUR, "c"))
    run.reload()
    taken = run.take(reversal(ORIGIN + 4 * HOUR, "b"))
    mine = {one.id.rpartition("-")[0] for one in made}
    assert {one.id for one in taken} >= {f"{name}-2" for name in mine}
    assert not mine & run.standing.keys()


@pytest.mark.parametrize("before", ["shadow", "live"])
def test_a_rule_that_goes_live_does_nothing_about_what_was_known_before(before: Status) -> None:
    run = Run(as_is(before))
    run.take(transfer(ORIGIN, "a"))
    run.put_in_force(as_is("live"))
    assert len(run.take(transfer(ORIGIN - HOUR, "z"))) == (before == "live")


def test_the_first_event_under_other_rules_may_be_a_reversal() -> None:
    every = {"let": {"n": "count(transfer.completed, 7d)"}, "then": ALERT}
    run = Run(rule(**every, **{"if": "n > 9"}))
    run.take(*(transfer(ORIGIN + number * HOUR, f"t{number}") for number in range(3)))
    run.put_in_force(rule(version=2, **every, **{"if": "n > 0"}))
    assert not run.take(reversal(ORIGIN + 9 * HOUR, "t0"))


@pytest.mark.parametrize("others", [False, True], ids=["the last one", "others stay"])
def test_a_rule_that_comes_back_is_paused_by_what_it_did(others: bool) -> None:
    total = {"id": "b-rule", **ONCE}
    stay = [rule(**total)] if others else []
    paused = rule(**{"if": "total > 0"}, cooldown="7d")
    run = Run(paused, *stay)
    assert len(run.take(transfer(STRETCH + HOUR, "a"))) == 1
    run.put_in_force(rule(status="draft"), *stay)
    run.take(transfer(STRETCH + 2 * HOUR, "b"))
    run.put_in_force(paused, *stay)
    made = run.take(transfer(STRETCH + 3 * HOUR, "c"), transfer(STRETCH, "z"))
    assert [one for one in made if one.data.rule.id == "a-rule"] == []


def test_a_stretch_has_one_of_all_versions() -> None:
    run = Run(rule(**{"if": "true"}, cooldown="7d"))
    run.take(transfer(STRETCH + HOUR, "a"))
    run.put_in_force(rule(version=2, **{"if": "true"}, cooldown="7d"))
    assert not run.take(transfer(STRETCH, "z"), transfer(STRETCH + 2 * HOUR, "b"))


def test_an_earlier_stretch_has_one_of_all_versions() -> None:
    run = Run(rule(**{"if": "true"}, cooldown="7d"))
    run.take(transfer(STRETCH + HOUR, "a"), transfer(STRETCH + 8 * DAY_MS, "b"))
    run.put_in_force(rule(version=2, **{"if": "true"}, cooldown="7d"))
    assert not run.take(transfer(STRETCH, "z"), transfer(STRETCH + 2 * HOUR, "y"))


def test_nothing_is_left_when_no_rule_can_be_amended() -> None:
    run = Run(rule())
    run.take(transfer(ORIGIN, "a"))
    run.context = Context(run.context.now, NO_RULES, run.context.settings)
    step(run.record, transfer(ORIGIN + HOUR, "b"), run.context)
    assert not run.record.activity.played
    assert not run.record.activity.judging
    assert not run.record.activity.cooldowns


def test_what_is_kept_is_weighed() -> None:
    """Long texts make the oldest give way; no event is lost to it."""
    let = {f"l{n}": "default(purpose, '')" for n in range(10)}
    rules = [rule(id=f"rule-{n}", let=let, then=ALERT, **{"if": "true"}) for n in range(8)]
    run = Run(*rules)
    for number in range(20):
        made = run.take(transfer(ORIGIN + number * HOUR, f"t{number:02}", purpose="学" * 200))
        assert len(made) == len(rules)
        assert max(len(one.encode()) for one in made[0].data.values.values()) <= VALUE_BYTES
        assert sum(map(len, run.record.activity.played)) <= PLAYED_BYTES
    assert run.record.activity.dropped["played"] > 0
    assert run.take(reversal(ORIGIN + 30 * HOUR, "t19"))


def test_a_rule_that_shows_too_much_cannot_be_amended() -> None:
    let = {f"l{n}": "base_amount" for n in range(MAX_SHOWN)}
    with pytest.raises(RuleErrors, match="cannot be amended if it shows more than 16"):
        compile_rules([rule(let=let, **{"if": "base_amount > 1"}, then=ALERT)])


@pytest.mark.parametrize("function", ["count(", "sum(base_amount, ", "max(base_amount, "])
def test_a_window_is_played_with_what_came_since_it_began(function: str) -> None:
    other = rule(id="other", let={"total": "base_amount"}, **{"if": "base_amount > 1"})
    new = rule(let={"total": f"{function}transfer.completed, 7d)"}, **{"if": "base_amount > 1"})
    run = Run(other)
    run.take(transfer(STRETCH + 5 * HOUR, "c"), transfer(STRETCH + 2 * HOUR, "a"))
    run.put_in_force(other, new)
    twin = Run(new)
    late = {"y": (HOUR, "70"), "b": (4 * HOUR, "60"), "z": (3 * HOUR, "50")}
    for name, (after, amount) in late.items():
        one = transfer(STRETCH + after, name, amount)
        made = [by for by in run.take(one) if by.data.rule.id == "a-rule"]
        assert told(made) == told(twin.take(one))
        run.reload()


def test_a_window_that_another_rule_began_is_played_with_what_is_certainly_in_it() -> None:
    """It began after the first transfer came: playing that again put it in."""
    other = rule(id="other", let={}, **{"if": "base_amount > 1000"}, then=ALERT)
    counting = {"let": {"total": "count(transfer.completed, 7d)"}, "then": ALERT}
    looks = rule(id="looks", amendable=False, **counting, **{"if": "total > 99"})
    run = Run(other)
    run.take(transfer(STRETCH + DAY_MS, "a"))
    run.put_in_force(other, looks)
    run.take(transfer(STRETCH + 2 * DAY_MS, "b"))
    run.put_in_force(other, looks, rule(**counting, **{"if": "total > 0"}))
    assert told(run.take(transfer(STRETCH + 3 * DAY_MS, "c"))) == [("raised", "2", 1)]
    run.reload()
    made = run.take(transfer(STRETCH + HOUR, "z"))
    assert told(made) == [("raised", "1", 1), ("amended", "3", 2)]
