"""A storyline played by a customer: its steps as events, each at its time.

What stands before day 0 comes at its day and time, closer together if there is less time than
that. From day 0 on a performance that is seen live goes on after a second or two, whatever the
storyline says, but never slower than it says: nobody waits three days in front of a screen.
A term ends when the storyline means it to: what matures on day 0 does so however short the time
before it. What a storyline leaves open is redeemed when it matures.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from agents.bank.calendar import day_number, office_opens, start_of
from agents.bank.complete import complete
from agents.bank.population import Customer
from agents.bank.stories.maturing import Maturing
from agents.bank.stories.story import MINUTE_MS, OFFICE_EVENTS, Step
from agents.bank.storyline import Storyline, StoryStep
from streams.durations import DAY_MS, parse_duration

_SOON_S = (0.8, 2.0)


class Stage(NamedTuple):
    """When a storyline is played."""

    head: int
    """When it comes to a head: the beginning of its day 0, epoch milliseconds."""
    earliest: int
    """Nothing of it comes before this."""
    pace: float | None
    """Bank seconds in a real second, where it is seen live from its head on."""


class Moment(NamedTuple):
    offset: int
    """From the head, milliseconds."""
    step: StoryStep


def begins(storyline: Storyline, stage: Stage) -> int:
    """When its first event comes."""
    first = storyline.steps[0]
    return _at(stage, _offset(first, stage.head, 0), _longest(storyline, stage.head))


def perform(
    storyline: Storyline, stage: Stage, rng: Random, customer: Customer, since: int
) -> Iterator[Step]:
    """The events, from the first one on; `since` is when it begins."""
    kept: dict[str, dict[str, Any]] = {}
    left = Maturing()
    longest = _longest(storyline, stage.head)
    before, at = -longest, since
    for offset, step in _moments(storyline, rng, stage.head):
        wanted = _at(stage, offset, longest)
        if offset >= 0 and stage.pace is not None:
            gap = offset - max(before, 0)
            soon = round(rng.uniform(*_SOON_S) * 1_000 * stage.pace)
            wanted = min(max(at, stage.head) + min(gap, soon), wanted)
        wait = max(0, wanted - at)
        if step.event in OFFICE_EVENTS:
            opens = office_opens(at + wait)
            if stage.pace is None or (offset < 0 and opens < stage.head):
                wait = opens - at
        before, at = offset, at + wait
        label = step.same or ""
        given = dict(step.data)
        if "term" in given:
            due = _at(stage, offset + int(given["term"]) * DAY_MS, longest)
            given["term"] = max(0, day_number(due) - day_number(at))
        data = complete(step.event, given, kept.get(label, {}), rng, customer, at)
        if label:
            kept[label] = {**kept.get(label, {}), **data}
        left.tell(step.event, data)
        yield Step(wait, step.event, data)
    yield from left.redeemed(customer, at)


def _moments(storyline: Storyline, rng: Random, head: int) -> Iterator[Moment]:
    on_day_0 = 0
    for step in storyline.steps:
        low, _, high = step.times.partition("..")
        every = parse_duration(step.every)
        offset = _offset(step, head, on_day_0)
        times = rng.randint(int(low), int(high or low))
        for number in range(times):
            # Nobody does it at the stroke of the clock, but before the head comes what is before.
            late = 0 if step.day == 0 else rng.randrange(20 * MINUTE_MS)
            moment = offset + number * every + late
            yield Moment(min(moment, -1) if step.day < 0 else moment, step)
        if step.day == 0:
            on_day_0 = offset + (times - 1) * every


def _offset(step: StoryStep, head: int, on_day_0: int) -> int:
    if step.day == 0:
        return on_day_0 + parse_duration(step.after)
    hours, _, minutes = step.at.partition(":")
    of_day = (int(hours) * 60 + int(minutes)) * MINUTE_MS
    return start_of(day_number(head)) + step.day * DAY_MS + of_day - head


def _longest(storyline: Storyline, head: int) -> int:
    """How long before the head its first step is."""
    return max(0, -_offset(storyline.steps[0], head, 0))


def _at(stage: Stage, offset: int, longest: int) -> int:
    """The time of an offset; before the head all of them closer together if time is short."""
    if offset >= 0:
        return stage.head + offset
    there_is = stage.head - stage.earliest
    return stage.head + round(offset * min(1.0, there_is / longest))
