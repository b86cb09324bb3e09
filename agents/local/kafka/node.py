"""One KRaft node of Apache Kafka on loopback: made, started, stopped or killed at will.

Nothing is replicated, and transactions are what they are on a cluster. Its data outlives it: it
comes back on the same folder with everything that was written. The folder is locked by this process
and by Kafka itself: where Kafka outlives us, nobody runs it over.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from agents.local.folder_lock import FolderLock
from agents.local.kafka.jars import jars
from agents.local.lifeline import kill_with_parent
from agents.local.ports import LOOPBACK, free_port, is_free

START_TIMEOUT_S = 60.0
_STOP_S = 20.0
_DYING_S = 3.0
"""How long the Kafka of an owner that was killed may take to follow it."""
_CLUSTER_ID = "dmlwY2FyZS1sb2NhbC0wMQ"
_LOG_NAME = "kafka.log"
_BRIEF = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""For a Java that is over before it would be warm: two thirds of the time."""
_NONE: Mapping[str, str] = MappingProxyType({})
_UTF_8 = {"LC_ALL": "C.UTF-8"}
"""Java writes the names of files in the locale's encoding, and fails on those that it lacks."""

_LISTENS = re.compile(rf"^listeners=BROKER://{re.escape(LOOPBACK)}:(\d+),", re.MULTILINE)
_TAKEN = re.compile(r"failed to bind to (\S+): Address already in use")
_TAIL = 2_000

_LOG4J2 = """\
<Configuration status="ERROR">
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %c: %m%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""

ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "BROKER",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.index.size.max.bytes": "1048576",
}


class KafkaNodeError(Exception):
    """Kafka did not start; the message has its last lines, and for a taken port what to do."""


class KafkaNode:
    """One node with its data in `folder`. `port=0` takes the port that the last node there had, if
    it is free, else chooses one.

    `properties` go over those of `server.properties`, `java` are options of the Java machine.
    `own_session=False` leaves it in the caller's process group.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        properties: Mapping[str, str] = _NONE,
        java: Sequence[str] = (),
        own_session: bool = True,
    ) -> None:
        self.folder = folder
        self.port = port
        self._controller = 0
        self._properties = properties
        self._java_options = java
        self._own_session = own_session
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: FolderLock | None = None

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> str:
        """Start (or start again) and wait until it answers. Returns its address, host:port.

        Raises FolderError, KafkaUnavailableError, KafkaNodeError.
        """
        lock = self.take_folder()
        self._configure()
        if not (self.folder / "data" / "meta.properties").exists():
            self.format_data()
        self._process = self._java("kafka.Kafka", "server.properties", options=self._java_options)
        lock.name(self._process.pid)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise KafkaNodeError(self._obituary())
            if self.answers():
                return self.bootstrap
        self.kill()
        raise KafkaNodeError(f"Kafka did not answer in {START_TIMEOUT_S:g} s:\n{self._log_tail()}")

    def take_folder(self) -> FolderLock:
        """Have the folder for this node from now until it is stopped. Raises FolderError."""
        if self._lock is None:
            self._lock = FolderLock(self.folder, "vipcare kafka", _DYING_S)
        return self._lock

    def answers(self) -> bool:
        """Whether it answers a client that speaks in plain text."""
        client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            return bool(client.list_topics(timeout=1).brokers)
        except KafkaException:
            return False

    def wait(self, timeout_s: float) -> int | None:
        """The exit status once it has ended, or None if it still runs after `timeout_s`."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """End it in an orderly way; without effect if it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self) -> str:
        self.stop()
        return self.start()

    def choose_port(self) -> int:
        """A free port, for a listener."""
        return free_port()

    def format_data(self) -> None:
        """Make the folder `data`, which holds nothing yet. Raises KafkaNodeError."""
        arguments = ["format", "-t", _CLUSTER_ID, "-c", "server.properties"]
        brief = (*_BRIEF, *self._java_options)
        if self._java("kafka.tools.StorageTool", *arguments, options=brief).wait():
            raise KafkaNodeError(f"Kafka's storage could not be formatted:\n{self._log_tail()}")

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _configure(self) -> None:
        self.port = self.port or self._last_port() or self.choose_port()
        self._controller = self._controller or self.choose_port()
        addresses = {
            "controller.quorum.voters": f"1@{LOOPBACK}:{self._controller}",
            "listeners": f"BROKER://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self._controller}",
            "advertised.listeners": f"BROKER://{self.bootstrap}",
            "log.dirs": "data",  # Kafka runs in the folder, and reads these lines as Latin-1
        }
        lines = {**ONE_NODE, **addresses, **self._properties}
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        (self.folder / "server.properties").write_text(text, encoding="utf-8")
        (self.folder / "log4j2.xml").write_text(_LOG4J2, encoding="utf-8")

    def _last_port(self) -> int:
        """What a node of this folder listened on before, if it is free; else 0."""
        written = self.folder / "server.properties"
        found = _LISTENS.search(written.read_text("utf-8")) if written.exists() else None
        port = int(found[1]) if found else 0
        return port if port and is_free(port) else 0

    def _java(self, main: str, *arguments: str, options: Sequence[str]) -> subprocess.Popen[bytes]:
        command = ["java", "-Xmx512m", *options]
        command += ["-Dlog4j2.configurationFile=log4j2.xml"]
        command += ["-cp", f"{jars()}/*", main, *arguments]
        with (self.folder / _LOG_NAME).open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # Kafka's own main classes
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=self._own_session,
                env={**os.environ, **_UTF_8},
                pass_fds=(self.take_folder().fileno(),),
                preexec_fn=kill_with_parent,  # noqa: PLW1509  # one system call, no locks
            )

    def _obituary(self) -> str:
        told = self._log_tail()
        found = _TAKEN.search(told)
        if found is None:
            return f"Kafka ended while it started:\n{told}"
        to_do = "choose another port, or 0 for any" if found[1] == self.bootstrap else "start again"
        return f"Kafka ended while it started: {found[1]} is taken, {to_do}:\n{told}"

    def _log_tail(self) -> str:
        """The last lines of its log without the frames of Java's stacks, which would fill it."""
        log = (self.folder / _LOG_NAME).read_text(encoding="utf-8", errors="replace")
        return "\n".join(line for line in log.splitlines() if line[:1] != "\t")[-_TAIL:]
