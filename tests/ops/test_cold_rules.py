"""Which rules a worker calls cold, and until when."""

from datetime import UTC

from agents.cold_rules import ColdRules, Windows
from schemas.envelope import from_millis
from schemas.position import NOT_YET
from schemas.rules import RuleDefinition
from streams.durations import DAY_MS
from streams.reach import Reach
from streams.rules.compiler import compile_rules
from streams.rules.ruleset import RuleSet
from tests.lane.rules import rule

BEGAN = 20_000 * DAY_MS


def counting(days: int, version: int = 1) -> RuleSet:
    looks = rule("looks", version, **{"if": f"count(transfer.completed, {days}d) > 1"})
    definitions = [RuleDefinition.model_validate(one) for one in (looks, rule("plain"))]
    return compile_rules(definitions)


def windows(number: int, reach: Reach, days: int) -> Windows:
    """So many days after the rule came into force."""
    return Windows(number, reach, BEGAN + days * DAY_MS)


def test_a_rule_is_cold_until_its_windows_reach_back_as_far_as_it_looks_in_each_partition() -> None:
    rules, cold = counting(30), ColdRules(UTC)
    first = Reach({}).advance(rules.asked, BEGAN, 1, 0)
    later = Reach({}).advance(rules.asked, BEGAN + DAY_MS, 1, 0)
    warm = from_millis(BEGAN + 31 * DAY_MS).isoformat()
    for days, told in ((1, {"looks@1": warm}), (30, {"looks@1": warm}), (31, {})):
        assert cold.told(rules, [windows(0, first, days), windows(1, later, days)]) == told
    filled = later.fill(dict.fromkeys(later.kept, 1), BEGAN - 30 * DAY_MS)
    assert cold.told(rules, [windows(0, first, 30), windows(1, filled, 1)]) == {}


def test_other_rules_are_looked_at_anew() -> None:
    cold, rules = ColdRules(UTC), counting(1)
    reach = Reach({}).advance(rules.asked, BEGAN, 1, 0)
    assert cold.told(rules, [windows(0, reach, 5)]) == {}
    longer = counting(90, version=2)
    reach = reach.advance(longer.asked, BEGAN + 5 * DAY_MS, 2, BEGAN)
    assert [*cold.told(longer, [windows(0, reach, 5)])] == ["looks@2"]


def test_while_time_is_not_known_nobody_knows_when_it_is_warm() -> None:
    rules = counting(30)
    reach = Reach({}).advance(rules.asked, NOT_YET, 1, 0)
    told = ColdRules(UTC).told(rules, [Windows(0, reach, NOT_YET), Windows(1, Reach({}), NOT_YET)])
    assert told == {"looks@1": None}
