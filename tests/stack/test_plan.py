"""What `vipcare up` hands to its processes."""

import dataclasses
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.local.plan import Options, PlanError, left_aside, make_plan
from config.load import load_settings
from config.settings import Settings
from tests.ports import free_port

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


def test_what_starts_here_takes_the_ports_of_the_settings() -> None:
    broker, native, http = free_port(), free_port(), free_port()
    clickhouse = {"host": "localhost", "port": native, "http_port": http}
    kafka = {"bootstrap": f"localhost:{broker}"}
    base = Settings.model_validate({"kafka": kafka, "clickhouse": clickhouse})
    settings = make_plan(Options(), base, Path("/data"), NOW).settings
    assert settings.kafka.bootstrap == f"127.0.0.1:{broker}"
    assert (settings.clickhouse.port, settings.clickhouse.http_port) == (native, http)
    assert not [*left_aside(Options(), base)]


@pytest.mark.parametrize("bootstrap", ["kafka-1:9092", "127.0.0.1:9092,127.0.0.1:9093"])
def test_servers_that_the_settings_name_and_are_not_used_are_told(bootstrap: str) -> None:
    clickhouse = {"host": "ch", "port": 9440, "http_port": 1}
    base = Settings.model_validate({"kafka": {"bootstrap": bootstrap}, "clickhouse": clickhouse})
    broker, store = left_aside(Options(), base)
    assert f"Take yours with --broker {bootstrap}" in broker
    assert "Take yours with --clickhouse ch:9440" in store
    assert make_plan(Options(), base, Path("/data"), NOW).settings.clickhouse.host == "127.0.0.1"
    assert not [*left_aside(Options(broker="kafka-1:9092", clickhouse="ch:9000"), base)]


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
