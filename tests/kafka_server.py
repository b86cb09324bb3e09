"""Apache Kafka for tests: one KRaft node, started and stopped (or killed) at will.

`python -m tests.kafka_server` runs one in the foreground, for trying things. The jars come from
Maven once and are kept under ~/.cache/vipcare, so later runs need no network.
"""

import argparse
import fcntl
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from agents.local.lifeline import kill_with_parent
from tests.ports import free_port

VERSION = "4.1.1"
OLDEST_JAVA = 17
START_TIMEOUT_S = 60.0
SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Options of a Java that lives for minutes beside others, and is over before it would be warm."""
_CLUSTER_ID = "dmlwY2FyZS10ZXN0cy0wMQ"

_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>vipcare</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""

_LOG4J2 = """\
<Configuration status="ERROR">
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %c: %m%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=16777216
log.index.size.max.bytes=1048576
"""


class KafkaUnavailableError(Exception):
    """Apache Kafka cannot run here; the text says what is missing."""


@cache
def jars() -> Path:
    """The folder with Kafka's jars, fetched if need be. Raises KafkaUnavailableError."""
    _check_java()
    folder = Path.home() / ".cache" / "vipcare" / f"kafka-{VERSION}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Tests run side by side, and two mvn at once spoil each other's downloads: one fetches.
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                _fetch(folder)
    return folder


def _check_java() -> None:
    if shutil.which("java") is None:
        raise KafkaUnavailableError(f"java is not on PATH; Kafka needs {OLDEST_JAVA} or newer")
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    if found is None or int(found[1]) < OLDEST_JAVA:
        raise KafkaUnavailableError(f"java is older than {OLDEST_JAVA}: {told.splitlines()[:1]}")


def _fetch(folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise KafkaUnavailableError(f"mvn is not on PATH and {folder} is not there")
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        Path(made, "pom.xml").write_text(_POM)
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
        done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
        if done.returncode:
            raise KafkaUnavailableError(f"mvn could not fetch Kafka: {done.stdout[-500:]}")
        # A rename shows the folder whole or not at all: a fetch that is interrupted leaves nothing.
        Path(made, "jars").rename(folder)


class KafkaServer:
    """One node with its data in `folder`; it comes back on the same port with the same data."""

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        own_session: bool = True,
        java: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.port = port
        self._own_session = own_session
        """Ctrl-C in a terminal is for the test run, which then stops it."""
        self._java_options = java
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> str:
        """Start (or start again) and wait until it answers. Returns its address, host:port."""
        if not (self.folder / "server.properties").exists():
            self._format()
        self._process = self._java("kafka.Kafka", "server.properties")
        deadline = time.monotonic() + START_TIMEOUT_S
        client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"Kafka ended while it started:\n{self._log_tail()}")
            try:
                if client.list_topics(timeout=1).brokers:
                    return self.bootstrap
            except KafkaException:
                pass
        self.kill()
        raise RuntimeError(f"Kafka did not answer in {START_TIMEOUT_S:g} s:\n{self._log_tail()}")

    def stop(self) -> None:
        """End it in an orderly way; without effect if it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self) -> str:
        self.stop()
        return self.start()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _format(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        (self.folder / "log4j2.xml").write_text(_LOG4J2)
        properties = _PROPERTIES.format(
            port=self.port, controller=free_port(), data=self.folder / "data"
        )
        (self.folder / "server.properties").write_text(properties)
        format_arguments = ["format", "-t", _CLUSTER_ID, "-c", "server.properties"]
        if self._java("kafka.tools.StorageTool", *format_arguments).wait():
            raise RuntimeError(f"Kafka's storage could not be formatted:\n{self._log_tail()}")

    def _java(self, main: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = ["java", "-Xmx512m", *self._java_options]
        command += ["-Dlog4j2.configurationFile=log4j2.xml"]
        command += ["-cp", f"{jars()}/*", main, *arguments]
        with (self.folder / "kafka.log").open("ab") as log:
            # Where a run is cut short (pytest-xdist waits ten seconds), it ends with its process.
            return subprocess.Popen(
                command,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=self._own_session,
                preexec_fn=kill_with_parent,  # noqa: PLW1509  # one system call, no locks
            )

    def _log_tail(self) -> str:
        return (self.folder / "kafka.log").read_text(errors="replace")[-2_000:]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.kafka_server", description=__doc__)
    parser.add_argument("--port", type=int, default=9092)
    parser.add_argument("--folder", type=Path, help="keep the data here (default: a temporary one)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory() as made:
        server = KafkaServer(options.folder or Path(made), options.port)
        try:
            sys.stdout.write(f"Apache Kafka {VERSION} at {server.start()}; Ctrl-C stops it\n")
            sys.stdout.flush()
            signal.pause()
        except KeyboardInterrupt:
            pass
        finally:
            server.stop()


if __name__ == "__main__":
    try:
        main()
    except KafkaUnavailableError as error:
        sys.exit(str(error))
