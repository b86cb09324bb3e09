from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from sinks.clickhouse.backoff import delays


def test_pauses_double_up_to_the_longest() -> None:
    found = [round(delay, 3) for delay in islice(delays(1.0), 6)]
    assert found == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@given(st.floats(0.001, 1_000))
def test_no_pause_is_longer_than_asked_or_shorter_than_the_one_before(longest: float) -> None:
    found = list(islice(delays(longest), 30))
    assert found == sorted(found)
    assert found[-1] == max(found) == longest
