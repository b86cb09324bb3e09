"""What `vipcare up` hands to its processes."""

import dataclasses
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.local.plan import Options, PlanError, make_plan
from config.load import load_settings
from config.settings import Settings

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_child_reads_the_settings_that_the_plan_has(monkeypatch: pytest.MonkeyPatch) -> None:
    options = Options(clock_rate=60.0, bank=False)
    plan = make_plan(options, Settings(), Path("/data"), NOW)
    for name, value in plan.environment().items():
        monkeypatch.setenv(name, value)
    read = load_settings()
    assert read == plan.settings
    assert read.kafka.transactions is False
    assert read.clock.rate == 60.0
    assert read.clock.origin == read.clock.started == NOW


def test_own_settings_of_a_child_go_over_those_of_all() -> None:
    settings = Settings.model_validate({"worker": {"app": "mine", "metrics_port": 0}})
    plan = make_plan(Options(workers=2), settings, Path("/data"), NOW)
    one, two = plan.worker(1), plan.worker(2)
    assert one.environment["VIPCARE_WORKER__DATA"] == "/data/worker-1"
    assert two.environment["VIPCARE_WORKER__DATA"] == "/data/worker-2"
    assert one.environment["VIPCARE_KAFKA__BOOTSTRAP"] == plan.settings.kafka.bootstrap
    assert plan.settings.worker.app == "mine"


def test_taken_default_ports_are_gone_round() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 9092))
            taken.listen()
        except OSError:
            pass  # somebody else's: as good
        plan = make_plan(Options(), Settings(), Path("/data"), NOW)
    assert plan.settings.kafka.bootstrap != "127.0.0.1:9092"


def test_a_server_gets_a_new_database_when_the_broker_begins_empty() -> None:
    options = Options(clickhouse="ch:9000")
    plan = make_plan(options, Settings(), Path("/data"), NOW)
    assert plan.settings.clickhouse.database == "vipcare_run_20260101_120000"
    kept = make_plan(
        dataclasses.replace(options, broker="kafka:9092"), Settings(), Path("/data"), NOW
    )
    assert kept.settings.clickhouse.database == "vipcare"
    assert kept.settings.kafka.transactions is True


def test_a_kafka_of_its_own_has_transactions_and_one_node() -> None:
    settings = Settings.model_validate({"topics": {"replication": 3, "min_insync": 2}})
    options = Options(broker="kafka")
    plan = make_plan(options, settings, Path("/data"), NOW)
    assert plan.settings.kafka.transactions is True
    assert (plan.settings.topics.replication, plan.settings.topics.min_insync) == (1, 1)
    assert plan.broker().arguments[0] == "kafka"
    assert plan.broker().arguments[-1] == "/data/kafka"
    assert options.fresh
    assert not dataclasses.replace(options, keep=True).fresh


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {
                "kafka": {
                    "security_protocol": "SASL_SSL",
                    "sasl_mechanism": "PLAIN",
                    "sasl_username": "u",
                    "sasl_password": "p",
                }
            },
            "name your own with --broker",
        ),
        ({"clickhouse": {"secure": True, "verify": False}}, "name your own with --clickhouse"),
    ],
)
def test_a_login_is_not_left_out_by_what_starts_here(
    given: dict[str, dict[str, object]], said: str
) -> None:
    base = Settings.model_validate(given)
    with pytest.raises(PlanError, match=said):
        make_plan(Options(), base, Path("/data"), NOW)
    options = Options(broker="kafka-1:9093", clickhouse="ch:9440")
    assert make_plan(options, base, Path("/data"), NOW).settings.kafka.bootstrap == "kafka-1:9093"
