"""Which tests share a process when the suite runs side by side (`pytest -n 6`), and in what order.

A file is one piece of work, or a folder whose tests share a server, so that they start it once.
Files in which every test starts a server of its own are worked through test by test. What takes
longest begins first: then no long test is left at the end, when the other processes have nothing
more to do.
"""

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

LONGEST_FIRST = (
    "tests/wires/",
    "tests/kill/test_kill.py",
    "tests/deploy/test_image.py",
    "tests/lane/test_timers_on_kafka.py",
    "tests/lane/test_replay.py",
    "tests/lane/test_refusing.py",
    "tests/lane/test_whole_path.py",
    "tests/sink/test_refused.py",
    "tests/sink/test_schema.py",
    "tests/lane/test_health_process.py",
    "tests/lane/test_take_over.py",
    "tests/lane/test_warm.py",
    "tests/lane/test_relations.py",
    "tests/backtest/test_why_on_kafka.py",
    "tests/backtest/test_on_kafka.py",
    "tests/lane/test_reload.py",
    "tests/lane/test_facts.py",
    "tests/ops/test_reconcile.py",
    "tests/stack/test_up_on_kafka.py",
    "tests/bank/test_simulation.py",
    "tests/lane/test_broadcasts_on_kafka.py",
    "tests/sink/test_sink.py",
    "tests/sink/test_swap.py",
    "tests/kill/test_fail_points.py",
    "tests/lane/test_refusals.py",
    "tests/lane/test_isolation.py",
    "tests/portrait/test_customer.py",
    "tests/sink/test_faults.py",
    "tests/kill/test_audit.py",
    "tests/stack/test_errors.py",
    "tests/stack/test_kafka.py",
    "tests/stack/test_up.py",
    "tests/lane/test_ground_moves.py",
    "tests/tools/test_kcat.py",
    "tests/bank/test_many.py",
    "tests/lane/test_lag.py",
    "tests/ops/test_reading.py",
    "tests/sink/test_rebuild.py",
    "tests/sink/test_storing.py",
    "tests/ops/test_topics.py",
    "tests/bank/test_commands.py",
    "tests/sink/test_metrics.py",
    "tests/ops/test_kafka_server.py",
    "tests/ops/test_report.py",
    "tests/doctor/test_on_kafka.py",
)
TEST_BY_TEST = frozenset(
    {
        "tests/lane/test_broadcasts_on_kafka.py",
        "tests/lane/test_ground_moves.py",
        "tests/lane/test_health_process.py",
        "tests/lane/test_refusing.py",
        "tests/lane/test_take_over.py",
        "tests/lane/test_whole_path.py",
        "tests/ops/test_kafka_server.py",
        "tests/stack/test_up.py",
        "tests/stack/test_up_on_kafka.py",
    }
)
TOGETHER = ("tests/wires/",)
"""Folders that share a server which takes long to start."""


class LongestFirst(LoadScopeScheduling):
    """Hands out the pieces in the order in which the tests were collected."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file in TEST_BY_TEST:
            return nodeid
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)  # there is no such hook with `-p no:xdist`
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LongestFirst:
    config.option.loadscopereorder = False  # not by the number of tests
    return LongestFirst(config, log)


def pytest_configure(config: pytest.Config) -> None:
    if _is_one_of_several(config):  # an example may take long when others have the processors
        usual = settings.get_profile(settings.get_current_profile_name())
        settings.register_profile("side-by-side", usual, deadline=None)
        settings.load_profile("side-by-side")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _is_one_of_several(config):
        items.sort(key=lambda item: _place(item.nodeid))


def _is_one_of_several(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _place(nodeid: str) -> int:
    places = (place for place, start in enumerate(LONGEST_FIRST) if nodeid.startswith(start))
    return next(places, len(LONGEST_FIRST))
