"""Which effects tell how fast the worker is: those of live events, behind no history."""

import json
from pathlib import Path

import msgspec

from agents.clock import BankClock
from agents.reconciliation.latency import Latency
from schemas.effects import Alert, decode_effect
from schemas.envelope import from_millis

EXAMPLE = decode_effect(
    json.dumps(json.loads(Path("schemas/examples/vip.alert.json").read_text())[0])
)
NOW = 1_700_000_000_000
DAY = 86_400_000


def measure(*pairs: tuple[int, int, int]) -> dict[str, int | None]:
    """Each pair: event time, produced, its effect sent; relative to NOW."""
    latency = Latency(BankClock())
    for offset, (at, produced, sent) in enumerate(pairs):
        assert isinstance(EXAMPLE, Alert)
        cause = msgspec.structs.replace(
            EXAMPLE.data.cause,
            time=from_millis(NOW + at),
            topic="bank.core",
            partition=0,
            offset=offset,
        )
        data = msgspec.structs.replace(EXAMPLE.data, cause=cause)
        latency.effect(msgspec.structs.replace(EXAMPLE, data=data), NOW + sent)
        latency.event(("bank.core", 0, offset), NOW + produced)
    return latency.figures()


def test_history_and_what_waits_behind_it_is_no_latency() -> None:
    history = (-30 * DAY, 0, 5_000)
    behind_it = (1_000, 1_000, 5_100)
    live = (6_000, 6_000, 6_040)
    figures = measure(history, behind_it, live)
    assert (figures["p50"], figures["p99"], figures["effects"]) == (40, 40, 1)
    assert (figures["all_effects"], figures["all_p99"]) == (3, 5_000)


def test_without_history_every_live_event_counts() -> None:
    figures = measure((0, 0, 10), (100, 100, 130))
    assert (figures["p50"], figures["p99"], figures["effects"]) == (10, 30, 2)


def test_a_late_event_among_live_ones_does_not_end_the_measure() -> None:
    figures = measure((-30 * DAY, 0, 50), (100, 100, 110), (-DAY, 200, 215), (300, 300, 330))
    assert (figures["effects"], figures["p99"]) == (2, 30)


def test_nothing_measured_says_so() -> None:
    assert measure()["p50"] is None


def test_a_rule_that_waited_tells_nothing_of_how_fast_it_is() -> None:
    latency = Latency(BankClock())
    assert isinstance(EXAMPLE, Alert)
    data = msgspec.structs.replace(EXAMPLE.data, waited_until=from_millis(NOW))
    latency.effect(msgspec.structs.replace(EXAMPLE, data=data), NOW + 10)
    assert latency.figures()["all_effects"] == 0
