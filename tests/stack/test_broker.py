"""The embedded broker: starts, refuses a taken port, leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.local.broker import BrokerError, EmbeddedBroker
from tests.stack.processes import descendants, read_until, running, vipcare

pytestmark = pytest.mark.broker


def _listens(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_topics_are_made_with_their_partitions(fresh_broker: str) -> None:
    admin = AdminClient({"bootstrap.servers": fresh_broker})
    admin.create_topics([NewTopic("some.topic", 4, 1)])["some.topic"].result(5)
    assert len(admin.list_topics(timeout=5).topics["some.topic"].partitions) == 4


def test_a_look_at_the_setup_leaves_no_errors_in_its_log(tmp_path: Path) -> None:
    """It calls a group that is not there an error; a user must not think so."""
    log = tmp_path / "broker.log"
    with log.open("wb") as output, EmbeddedBroker(output=output.fileno()) as embedded:
        env = {"VIPCARE_KAFKA__BOOTSTRAP": embedded.bootstrap, "VIPCARE_CLICKHOUSE__PORT": "1"}
        assert vipcare("topics", "create", **env).returncode == 0
        told = vipcare("doctor", "--try", **env)
        assert "keeps no transactions" in told.stdout
        assert "rights        not looked at: transactions comes first" in told.stdout
        assert "ERROR" not in log.read_text()
        admin = AdminClient({"bootstrap.servers": embedded.bootstrap})
        admin.describe_consumer_groups(["nobody"])["nobody"].result(5)
    assert "ERROR" in log.read_text()
    assert "\x1b" not in log.read_text(), "plain, in a file"


def test_stop_ends_it() -> None:
    with EmbeddedBroker() as embedded:
        assert _listens(embedded.bootstrap)
    assert not _listens(embedded.bootstrap)


def test_taken_port_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=rf"port {port} on 127.0.0.1 is taken"):
            EmbeddedBroker(port).start()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only our own commands follow us")
def test_broker_dies_with_a_killed_parent() -> None:
    program = (
        "import time; from agents.local.broker import EmbeddedBroker;"
        "print(EmbeddedBroker().start(), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        address = parent.stdout.readline().decode().strip()
        assert _listens(address)
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while _listens(address) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _listens(address)


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_when_it_is_asked(first: signal.Signals) -> None:
    with running("broker", "--port", "0") as broker:
        said = read_until(broker, "kafka on")[-1]
        address = said.split()[2]
        assert _listens(address)
        for number in (first, signal.SIGINT, signal.SIGTERM):
            broker.send_signal(number)  # who asks again does not interrupt the end
        said, _ = broker.communicate(timeout=60)
        assert (broker.returncode, said) == (0, "")
        assert not _listens(address)


def test_the_command_says_when_the_broker_ends_by_itself() -> None:
    with running("broker", "--port", "0") as broker:
        read_until(broker, "kafka on")
        (below,) = descendants(broker.pid)
        os.kill(below, signal.SIGKILL)
        assert read_until(broker, "vipcare: the broker ended by itself, status -9")
        assert broker.wait(60) == 1
