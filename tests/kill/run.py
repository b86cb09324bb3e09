"""The list of scenarios, and how they are run: one world a run, a verdict after each scenario."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.kill import disks, killing, outside, refusals, reloads, zombies
from tests.kill.totals import Totals
from tests.kill.world import RATE, World


class Scenario(NamedTuple):
    name: str
    play: Callable[[World], None]
    ends_the_world: bool = False


SCENARIOS = (
    Scenario("random-moments", killing.random_moments),
    Scenario("every-fail-point", killing.every_fail_point),
    Scenario("raised-anywhere", killing.raised_anywhere),
    Scenario("several-at-once", killing.several_at_once),
    Scenario("clean-stops", killing.clean_stops),
    Scenario("stalls", killing.stalls),
    Scenario("zombies-at-points", zombies.at_points),
    Scenario("zombie-with-open-transaction", zombies.with_an_open_transaction),
    Scenario("zombies-at-random-moments", zombies.at_random_moments),
    Scenario("disk-emptied", disks.emptied),
    Scenario("old-copy", disks.old_copy),
    Scenario("useless-copy", disks.useless_copy),
    Scenario("half-a-copy", disks.half_a_copy),
    Scenario("rules-change", reloads.rules_change),
    Scenario("broker-restarts", outside.broker_restarts),
    Scenario("poison", outside.poison),
    Scenario("sink-killed", outside.sink_killed),
    Scenario("wrong-number-of-partitions", refusals.wrong_number_of_partitions),
    Scenario("topic-made-anew", refusals.topic_made_anew, ends_the_world=True),
)
SHORT = (
    Scenario("three-random-moments", partial(killing.random_moments, kills=3)),
    Scenario("zombie-with-open-transaction", zombies.with_an_open_transaction),
    Scenario("poison", outside.poison),
    Scenario("sink-killed", outside.sink_killed),
)
"""About two minutes."""
SHORT_RATE = 75
"""A test run shares its processors, and the longer it takes, the more there is to apply and to
check: as many deaths as ever, with fewer events between them."""
AT_LEAST = 100_000
"""Events of a run of all scenarios: with fewer it would show less than it says."""


def run(
    seed: str,
    scenarios: Sequence[Scenario],
    folder: Path,
    say: Callable[[str], None],
    totals: Totals,
    rate: int = RATE,
) -> None:
    """Play these scenarios, in their order, in a world of their own.

    Raises AssertionError with what was lost, doubled or different; the seed repeats it.
    """
    world = World(folder, seed, totals, rate)
    try:
        last = [one for one in scenarios if not one.ends_the_world][-1:]
        for scenario in scenarios:
            _play(world, scenario, say)
            if [scenario] == last:
                say(f"everything from the beginning: {_judge(world, whole=True)}")
        if len(scenarios) == len(SCENARIOS):
            assert totals.events >= AT_LEAST, f"only {totals.events} events, not {AT_LEAST}"
    finally:
        world.close()


def _play(world: World, scenario: Scenario, say: Callable[[str], None]) -> None:
    world.begin(scenario.name)
    begun, sent = time.monotonic(), world.ledger.sent
    scenario.play(world)
    played = time.monotonic() - begun
    told = f"{scenario.name}: {world.ledger.sent - sent} messages in {played:.0f} s"
    if not scenario.ends_the_world:
        told += f", {_judge(world)}; checked in {time.monotonic() - begun - played:.0f} s"
    say(told)


def _judge(world: World, *, whole: bool = False) -> str:
    verdict = world.verdict(whole=whole)
    totals = world.totals
    totals.events, totals.timers = verdict.events, verdict.timers
    totals.lost += verdict.lost
    totals.doubled += verdict.doubled
    assert verdict.good, "\n".join(
        [f"lost {verdict.lost}, doubled {verdict.doubled}", *verdict.problems]
    )
    return f"lost 0, doubled 0 of {verdict.events} in all, {verdict.timers} timers fired"
