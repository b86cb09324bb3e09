"""docker/compose.yaml: docker-compose takes it, and it is the demo at other addresses."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.cli.worker import STOP_S
from agents.local.kafka.node import ONE_NODE
from agents.local.plan import Options, make_plan
from config.catalogue import all_settings
from config.load import load_settings
from config.settings import Settings
from tests.deploy.compose import (
    DOCKER,
    ROLES,
    ROOT,
    SECRET,
    compose,
    composed,
    dockerfile,
    image_environment,
    service,
    variables,
)

pytestmark = pytest.mark.tool("docker-compose")

ADDRESSES = {
    "kafka.bootstrap",
    *(f"clickhouse.{name}" for name in ("host", "port", "http_port")),
    *(f"clickhouse.{name}" for name in ("user", "password", "password_file")),
    *(f"worker.{name}" for name in ("host", "data", "metrics_port")),
    *(f"sink.{name}" for name in ("host", "metrics_port")),
}
"""Where things are, and who we are there. The demo takes another port where one is taken."""


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


def test_secrets_are_files_and_nowhere_else(tmp_path: Path) -> None:
    named = composed(VIPCARE_SECRETS=str(tmp_path)).stdout
    assert f"file: {tmp_path}/clickhouse_password" in named
    for name, one in compose()["services"].items():
        assert ("secrets" in one) == (name in {*ROLES, "clickhouse"})
        assert "PASSWORD" not in {key.rpartition("__")[2] for key in one.get("environment", ())}
    assert SECRET in service("clickhouse")["entrypoint"][-1]


def test_every_variable_is_a_setting() -> None:
    known = {setting.variable for setting in all_settings()}
    for role in ROLES:
        assert variables(role).keys() <= known
        assert len(variables(role)) >= 5
    assert {name for name in image_environment() if name.startswith("VIPCARE_")} <= known


@pytest.mark.parametrize("role", ROLES)
def test_it_is_the_demo_at_other_addresses(
    role: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    # A deployment lives in real time, the demo in its own.
    demo = make_plan(Options(broker="kafka", bank=False), Settings(), Path("/data"), now).settings
    secret = tmp_path / "password"
    secret.write_text("tried-in-tests")
    for name, value in variables(role).items():
        monkeypatch.setenv(name, value.replace(SECRET, str(secret)))
    deployed = load_settings()
    differing = {
        setting.key
        for setting in all_settings()
        if setting.value_in(demo) != setting.value_in(deployed)
    }
    assert "kafka.bootstrap" in differing
    assert differing <= ADDRESSES
    assert deployed.kafka.transactions
    assert deployed.clickhouse.password.get_secret_value() == "tried-in-tests"


def test_its_kafka_is_set_as_the_demos_is() -> None:
    """The image makes a property `a.b` of each variable KAFKA_A_B."""
    given = {
        name.removeprefix("KAFKA_").replace("_", ".").lower(): value
        for name, value in service("kafka")["environment"].items()
        if name.startswith("KAFKA_")
    }
    sizes = {name for name in ONE_NODE if name.startswith("log.") or "num.partitions" in name}
    wanted = {name: value for name, value in ONE_NODE.items() if name not in sizes}
    assert len(wanted) > 8
    assert {name: given.get(name) for name in wanted} == wanted
    assert (
        f"BROKER://{variables('sink')['VIPCARE_KAFKA__BOOTSTRAP']}"
        == (given["advertised.listeners"])
    )


def test_who_waits_for_whom() -> None:
    waits = {
        name: {other: how["condition"] for other, how in one.get("depends_on", {}).items()}
        for name, one in compose()["services"].items()
    }
    assert waits["topics"] == {"kafka": "service_healthy"}
    assert waits["migrate"] == {"clickhouse": "service_healthy"}
    assert waits["worker-1"] == waits["worker-2"] == {"topics": "service_completed_successfully"}
    assert set(waits["sink"]) == {"topics", "migrate"}
    assert set(waits["bank"]) == {"worker-1", "worker-2", "sink"}
    for conditions in waits.values():
        for other, condition in conditions.items():
            checked = service(other).get("healthcheck", {}).get("test") != ["NONE"]
            assert condition == ("service_healthy" if checked else "service_completed_successfully")


def test_what_starts_again_and_what_does_not() -> None:
    policies = {name: one["restart"] for name, one in compose()["services"].items()}
    once = {name for name, policy in policies.items() if policy == "on-failure"}
    assert once == {"topics", "migrate"}  # status 2 where a server is away; 0 when done
    assert policies["bank"] == "no"
    assert {policies[name] for name in policies.keys() - once - {"bank"}} == {"unless-stopped"}


def test_a_stop_has_the_time_it_takes() -> None:
    limit = Settings().worker.drain_timeout_s + STOP_S
    for name in ("worker-1", "worker-2"):
        assert _seconds(service(name)["stop_grace_period"]) > limit
    assert _seconds(service("sink")["stop_grace_period"]) > 15


def test_every_worker_has_a_volume_of_its_own() -> None:
    mounted = [service(f"worker-{number}")["volumes"] for number in (1, 2)]
    (one,), (other,) = mounted
    assert one.partition(":")[0] != other.partition(":")[0]
    for volume in (one, other):
        place = Path(volume.split(":")[1])
        assert place in Path(variables("worker-1")["VIPCARE_WORKER__DATA"]).parents


def test_nothing_of_ours_runs_as_root_or_writes_into_its_image() -> None:
    users = [arguments for name, arguments in dockerfile() if name == "USER"]
    assert users == ["10001:10001"]
    for role in ROLES:
        one = service(role)
        assert one["read_only"]
        assert one["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in one["security_opt"]


def test_only_prometheus_can_be_reached_and_from_this_machine_alone() -> None:
    ports = {name: one["ports"] for name, one in compose()["services"].items() if "ports" in one}
    assert ports == {"prometheus": ["127.0.0.1:9090:9090/tcp"]}


def test_the_image_is_built_from_files_that_are_there_and_let_through() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = [
        source
        for name, arguments in dockerfile()
        if name == "COPY" and not arguments.startswith("--from")
        for source in arguments.split()[:-1]
    ]
    assert len(copied) > 8
    assert set(copied) == allowed
    for source in copied:
        assert (ROOT / source).exists(), source
    assert (DOCKER / "build.sh").stat().st_mode & 0o111
