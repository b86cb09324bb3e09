"""What the runners tell of unknown types: each is counted every time and logged once."""

from collections import Counter

from structlog.testing import capture_logs

from agents.lane.cache import RecordCache
from agents.lane.report import Report
from schemas import metrics as m
from schemas.dead_letters import Reason, dead_letter
from sinks.metrics import Metrics
from streams.chunk import Outcome


def test_an_unknown_type_is_counted_always_and_logged_once() -> None:
    metrics = Metrics(m.WORKER)
    report = Report(metrics, RecordCache(1_000))
    with capture_logs() as lines:
        for types in ({"weather.changed": 3}, {"weather.changed": 2, "moon.rose": 1}):
            counts = Counter({f"unknown:{name}": count for name, count in types.items()})
            report.stepped([], Outcome(counts=counts), 0.001)
    assert [line["type"] for line in lines] == ["weather.changed", "moon.rose"]
    assert metrics.registry.get_sample_value(m.UNKNOWN.name) == 6


def test_names_of_unknown_types_do_not_flood_the_log() -> None:
    report = Report(Metrics(m.WORKER), RecordCache(1_000))
    with capture_logs() as lines:
        for number in range(1_000):
            report.stepped([], Outcome(counts=Counter({f"unknown:type {number}": 1})), 0.001)
    assert len(lines) == 100


def test_dead_letters_are_counted_by_topic_category_and_reason() -> None:
    metrics = Metrics(m.WORKER)
    letters = [
        dead_letter(reason, "", topic="bank.app", partition=0, offset=n, key=None, value=None)
        for n, reason in enumerate((Reason.FUTURE, Reason.BROKEN, Reason.BROKEN))
    ]
    counts = Counter({"dead:broken": 2, "dead:future": 1})
    Report(metrics, RecordCache(1)).stepped([], Outcome(dead_letters=letters, counts=counts), 0.1)

    def counted(category: str, reason: str) -> float | None:
        labels = {"topic": "bank.app", "category": category, "reason": reason}
        return metrics.registry.get_sample_value(m.DEAD_LETTERS.name, labels)

    assert counted("malformed", "broken") == 2
    assert counted("time", "future") == 1
