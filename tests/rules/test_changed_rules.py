"""What becomes of what rules keep in a record when others come into force."""

from collections import defaultdict
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import unpack_reversible
from schemas.effects import Alert
from schemas.packed import pack
from schemas.profile import NEVER
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.expressions.check import check
from streams.expressions.nodes import Reading
from streams.expressions.scope import Scope
from streams.facts import NO_FACTS
from streams.rules import compiled
from streams.rules import compiler as compiler_module
from streams.rules.aggregates import state_key
from streams.rules.compiler import NO_RULES, Compiler, compile_rules
from streams.rules.ruleset import RuleSet
from tests.core.test_timers import CUSTOMER, ORIGIN, RULES, Bank, nine
from tests.lane.rules import rule
from tests.rules.maker import DECLARED, random_input
from tests.rules.test_compiled import random_rule
from tests.rules.twin import ZONE

HOUR = 3_600_000
COUNTS = {"a": "30d", "b": "1d", "c": "30d"}
"""Rules, and the length of what each counts: two count the same."""
AMOUNTS = {
    "account": "A1",
    "direction": "in",
    "amount": "1",
    "base_amount": "1",
    "currency": "CNY",
}
PAUSED = {"cooldown": "1h", "limit": {"times": 2, "within": "1h"}}


def counting(name: str, version: int = 1, **changes: Any) -> RuleDefinition:
    """A rule that tells how many transfers it knows of."""
    let = {"n": f"count(transfer.completed, {COUNTS[name]})"}
    said = rule(name, version, let=let, **{"if": "n > 0"}) | changes
    return RuleDefinition.model_validate(said)


def rules_of(names: set[str]) -> RuleSet:
    return compile_rules([counting(name) for name in sorted(names)])


def transfer(bank: Bank, at: int) -> dict[str, int]:
    """What each rule counts after one more transfer."""
    made = bank.send("transfer.completed", at, transfer=f"T{bank.offset}", **AMOUNTS)
    alerts = [one for one in made.effects if isinstance(one, Alert)]
    return {one.data.rule.id: int(one.data.values["n"]) for one in alerts}


@given(st.randoms(use_true_random=False))
def test_a_window_knows_what_came_since_its_rule_is_in_force(random: Random) -> None:
    bank, at = Bank(NO_RULES), ORIGIN
    twin: defaultdict[str, set[str]] = defaultdict(set)
    """What is counted → the transfers since nobody counted it."""
    made: list[str] = []
    for _ in range(random.randint(1, 12)):
        if random.random() < 0.5:
            names = {name for name in COUNTS if random.random() < 0.6}
            bank.rules = rules_of(names)
        else:
            names = {one.id for one in bank.rules.definitions}
        at += random.randint(0, HOUR)
        counted = {COUNTS[name] for name in names}
        twin = defaultdict(set, {length: twin[length] for length in counted})
        if made and random.random() < 0.4:
            taken = made.pop(random.randrange(len(made)))
            bank.send("transfer.reversed", at, transfer=taken, **AMOUNTS)
            for some in twin.values():
                some.discard(taken)
            continue
        made.append(f"T{bank.offset}")
        for length in counted:
            twin[length].add(made[-1])
        assert transfer(bank, at) == {name: len(twin[COUNTS[name]]) for name in names}
        assert len(bank.record.windows) == len(counted)
        if random.random() < 0.3:
            bank.record = Record(CUSTOMER, bank.record.encode())


@pytest.mark.parametrize("function", ["count", "sum", "max", "distinct"])
@pytest.mark.parametrize("span", ["7d", "this month"])
def test_what_came_before_a_window_is_not_taken_out_of_it(function: str, span: str) -> None:
    over = "" if function == "count" else "base_amount, "
    let = {"n": f"{function}({over}transfer.completed, {span})"}
    later = compile_rules([counting("a").model_copy(update={"let": let})])
    bank = Bank(NO_RULES)
    transfer(bank, ORIGIN)
    bank.rules = later
    assert transfer(bank, ORIGIN + 1) == {"a": 1}
    for name in ("T0", "T1"):
        bank.record = Record(CUSTOMER, bank.record.encode())
        bank.send("transfer.reversed", ORIGIN + 2, transfer=name, **AMOUNTS)
        two = 2 if function in ("count", "sum") else 1
        assert transfer(bank, ORIGIN + 2) == {"a": two}


def test_windows_from_before_eras_are_read_and_corrected() -> None:
    bank = Bank(rules_of({"a"}))
    transfer(bank, ORIGIN)
    (key,) = bank.record.windows
    assert bank.record.windows.get(key)[0] == -1  # type: ignore[index]  # it is there
    packed = unpack_reversible(bank.record.activity.transfers[0])
    bank.record.activity.transfers[0] = pack([packed.at, packed.data, packed.late, packed.reversed])
    bank.send("transfer.reversed", ORIGIN, transfer="T0", **AMOUNTS)
    assert transfer(bank, ORIGIN) == {"a": 1}


def test_windows_are_one_state_only_if_they_count_the_same() -> None:
    """However long a number is, and however an author sets blanks."""
    wheres = {
        "a": "base_amount > 99999999999999999.25",
        "b": "base_amount > 99999999999999999.75",
        "c": "base_amount  >99_999_999_999_999_999.25",
        "d": "purpose == 'a b'",
        "e": "purpose == 'a  b'",
        "f": """purpose == "'a" or purpose == "b'" """,
        "g": """purpose == "'a' or purpose == 'b'" """,
    }
    scope = Scope(("transfer.completed",))
    keys = {
        name: state_key(node.aggregate)
        for name, where in wheres.items()
        if isinstance(
            node := check(f"count(transfer.completed, 7d, where={where})", scope), Reading
        )
    }
    assert keys["c"] == keys["a"]
    assert len(set(keys.values())) == len(keys) - 1 == len(wheres) - 1


def test_a_longer_window_begins_anew_only_if_its_buckets_are_others() -> None:
    """Else it goes on with what the shorter one kept: its length and the lateness."""

    def of(length: str) -> RuleSet:
        let = {"n": f"count(transfer.completed, {length})"}
        return compile_rules([counting("a").model_copy(update={"let": let})])

    day = 24 * HOUR
    bank = Bank(of("10d"))
    for at in (0, 25 * day, 45 * day):
        transfer(bank, ORIGIN + at)
    bank.rules = of("90d")
    assert transfer(bank, ORIGIN + 46 * day) == {"a": 3}, "the one of 46 days ago was let go"
    bank.rules = of("100d")
    assert transfer(bank, ORIGIN + 46 * day) == {"a": 1}


def test_a_customer_without_an_event_meanwhile_keeps_his_windows() -> None:
    """Nothing is missing in them."""
    bank = Bank(rules_of({"a"}))
    transfer(bank, ORIGIN)
    bank.rules = rules_of({"b"})
    bank.until(ORIGIN + HOUR)
    bank.rules = rules_of({"a"})
    assert transfer(bank, ORIGIN + HOUR) == {"a": 2}


def test_pauses_stay_with_a_rule_whatever_its_version_and_go_with_it() -> None:
    bank = Bank(compile_rules([counting("a", **PAUSED)]))
    assert transfer(bank, ORIGIN) == {"a": 1}
    for version, status in ((2, "live"), (2, "retired"), (3, "live")):
        changed = {"version": version, "status": status}
        bank.rules = compile_rules([counting("a", **PAUSED).model_copy(update=changed)])
        assert transfer(bank, ORIGIN + version) == {}
    bank.rules = rules_of({"b"})
    transfer(bank, ORIGIN + 10)
    activity = bank.record.activity
    assert (activity.cooldowns, activity.firings) == ({}, {})


def test_what_waits_for_a_rule_that_is_gone_wakes_and_does_nothing() -> None:
    bank = Bank()
    bank.deposit(ORIGIN, "2026-06-01")
    bank.rules = NO_RULES
    assert bank.until(nine("2026-06-01")).effects == []
    assert bank.record.header.next_due == NEVER
    bank.rules = RULES
    assert bank.until(nine("2026-06-01") + HOUR).effects == []


def test_what_waits_fires_if_its_rule_is_back_by_then() -> None:
    bank = Bank()
    bank.deposit(ORIGIN, "2026-06-01")
    bank.rules = NO_RULES
    transfer(bank, ORIGIN + HOUR)
    bank.rules = RULES
    transfer(bank, ORIGIN + 2 * HOUR)
    assert len(bank.until(nine("2026-06-01")).effects) == 1


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_set_compiled_after_others_does_what_it_does_alone(random: Random) -> None:
    compiler = Compiler(attributes=DECLARED, zone=ZONE)
    versions = [random_rule(random, number % 4) for number in range(8)]
    for _ in range(random.randint(2, 6)):
        chosen = {one.id: one for one in random.sample(versions, random.randint(0, 8))}
        definitions = [*chosen.values()]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiled, "MOST_TOGETHER", random.choice([1, 2, 100]))
            patch.setattr(compiler_module, "_MOST_UNUSED", random.choice([0, 1_000]))
            after = compiler.compile(definitions)
        alone = compile_rules(definitions, attributes=DECLARED, zone=ZONE)
        assert (after.digest, after.mark, after.running) == (
            alone.digest,
            alone.mark,
            alone.running,
        )
        record, other = Record("C1"), Record("C1")
        for _ in range(6):
            event = random_input(random)
            fired = after.apply(record, event, late=False, facts=NO_FACTS)
            assert fired == alone.apply(other, event, late=False, facts=NO_FACTS)
        assert record.encode() == other.encode()


def test_what_stays_as_it_is_is_not_compiled_again() -> None:
    compiler = Compiler()
    one, other = (compiler.compile([counting("a"), counting("b", n)]) for n in (1, 2))
    assert one.definitions[0] == other.definitions[0]
    kept = compiler._before.compiled
    compiler.compile([counting("a")])
    assert set(compiler._before.compiled.values()) < set(kept.values())


def test_rules_that_keep_the_same_forget_nothing() -> None:
    one, other = rules_of({"a"}), compile_rules([counting("a", version=2, kind="care")])
    assert one.mark == other.mark != NO_RULES.mark == 0
