"""A slow machine is no failure of a scenario, and a standstill is one."""

from collections.abc import Callable, Iterable
from itertools import chain, count, repeat

import pytest

from tests.kill.keeper import wait_going_on
from tests.kill.progress import Ends, Headway

PATIENCE_S = 0.3
AT: Ends = {("bank.core", 0): 7}
Look = tuple[Ends, dict[str, float]]


def slowly(looks: Callable[[], Look], times: int) -> None:
    """Wait for something that comes about after so many looks, at twenty of them a second."""
    headway, looked = Headway(), count()
    wait_going_on(
        lambda: next(looked) == times, lambda: headway.goes_on(*looks()), "the end", PATIENCE_S
    )


def test_what_goes_on_is_waited_for_however_slow_it_is() -> None:
    ends, left = count(), count(240_000, -100)
    slowly(lambda: ({("bank.core", 0): next(ends)}, {}), 20)
    slowly(lambda: (AT, {"0": next(left)}), 20)


@pytest.mark.parametrize(
    "left",
    [repeat({}), repeat({"0": 5.0}), ({"0": float(n % 4)} for n in count())],
    ids=["nothing", "a restore that hangs", "a restore that begins anew"],
)
def test_a_standstill_is_told(left: Iterable[dict[str, float]]) -> None:
    looks = chain([{}], left)
    with pytest.raises(AssertionError, match=r"nothing went on for 0\.3 s: the end"):
        slowly(lambda: (AT, next(looks)), 100)
