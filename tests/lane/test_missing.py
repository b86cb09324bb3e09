"""A chunk waits for topics that are behind, and not for ever."""

from agents.lane.missing import Missing

ALL = {"bank.app", "bank.core", "bank.card"}


def test_one_that_is_behind_is_waited_for_and_then_left_out_until_it_comes() -> None:
    missing = Missing(10.0)
    behind, held = {"bank.app", "bank.core"}, {"bank.app"}
    assert missing.pause(behind, held, now=100.0) == 10.0
    assert missing.pause(behind, held, now=104.0) == 6.0
    assert missing.awaited(behind) == behind
    assert missing.pause(behind, held, now=110.0) <= 0
    assert missing.leave_out() == ["bank.core"]
    assert missing.awaited(behind) == {"bank.app"}
    assert missing.pause(behind, held, now=111.0) == 0
    missing.came("bank.core")
    assert missing.awaited(behind) == behind
    assert missing.pause(behind, held, now=112.0) == 10.0


def test_one_that_has_nothing_more_is_waited_for_when_it_is_behind_again() -> None:
    missing = Missing(10.0)
    assert missing.pause({"bank.core"}, {"bank.app"}, now=0.0) == 10.0
    assert missing.pause({"bank.core"}, {"bank.app"}, now=10.0) == 0
    assert missing.leave_out() == ["bank.core"]
    assert missing.awaited(set()) == set()
    assert missing.awaited({"bank.core"}) == {"bank.core"}


def test_each_is_waited_for_in_a_time_of_its_own() -> None:
    missing = Missing(10.0)
    assert missing.pause({"bank.core"}, {"bank.app"}, now=0.0) == 10.0
    assert missing.pause({"bank.card"}, {"bank.app"}, now=8.0) == 10.0
    assert missing.pause({"bank.card", "bank.core"}, {"bank.app"}, now=12.0) == 10.0


def test_nothing_is_waited_for_while_all_is_held_or_known_whole() -> None:
    missing = Missing(10.0)
    assert missing.pause(ALL, ALL, now=0.0) == 0
    assert missing.pause(set(), {"bank.app"}, now=0.0) == 0
    assert missing.leave_out() == []
