"""Apache Kafka on this machine: what is missing is one line, and it goes with its parent."""

import os
import shutil
import socket
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.local.kafka.jars import VERSION, jars_folder
from agents.local.kafka.node import KafkaNodeError
from agents.local.ports import answers
from tests.kafka_server import KafkaServer, short_lived
from tests.ports import free_port
from tests.stack.processes import (
    descendants,
    read_until,
    refused,
    running,
    still_there,
    vipcare,
)


def _script(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    script = folder / name
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)


def _tools(folder: Path, *names: str) -> str:
    """A PATH with these tools alone."""
    folder.mkdir(exist_ok=True)
    for name in names:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return str(folder)


def test_without_java(tmp_path: Path) -> None:
    for command in (("kafka",), ("up", "--broker", "kafka", "--data", str(tmp_path / "data"))):
        said = refused(vipcare(*command, PATH=_tools(tmp_path / "bin")))
        assert "java is not on PATH: install Java 17 or newer" in said
        assert "embedded broker" in said


@pytest.mark.parametrize("version", ["11.0.2", "1.8.0_402"])
def test_java_that_is_too_old(tmp_path: Path, version: str) -> None:
    path = _tools(tmp_path / "bin")
    _script(Path(path), "java", f"echo 'openjdk version \"{version}\"' >&2")
    major = version.removeprefix("1.").partition(".")[0]
    said = refused(vipcare("kafka", PATH=path))
    assert f"java is version {major}, too old for Kafka: install Java 17" in said


@pytest.mark.kafka
def test_without_maven_and_without_jars(tmp_path: Path) -> None:
    path = _tools(tmp_path / "bin", "java")
    said = refused(vipcare("kafka", PATH=path, HOME=str(tmp_path)))
    assert "mvn is not on PATH and" in said
    assert f"{jars_folder().name} is not there: install Maven" in said


@pytest.mark.kafka
def test_maven_that_cannot_reach_its_repository(tmp_path: Path) -> None:
    mirror = (
        "<settings><mirrors><mirror><id>none</id><mirrorOf>*</mirrorOf>"
        "<url>http://127.0.0.1:1</url></mirror></mirrors></settings>"
    )
    (tmp_path / ".m2").mkdir()
    (tmp_path / ".m2" / "settings.xml").write_text(mirror)
    # Java takes the home folder from the password file, not from HOME.
    home = {"HOME": str(tmp_path), "MAVEN_OPTS": f"-Duser.home={tmp_path}"}
    said = refused(vipcare("kafka", "--fetch", timeout_s=120, **home))
    assert f"Maven could not fetch Apache Kafka {VERSION} (" in said
    assert "is Maven Central reachable" in said
    assert list((tmp_path / ".cache" / "vipcare").iterdir()) == [
        tmp_path / ".cache" / "vipcare" / f"{jars_folder().name}.lock"
    ]


def test_a_fetch_says_how_far_it_is(tmp_path: Path) -> None:
    """A Maven whose local repository is warm downloads nothing: here another one speaks."""
    path = tmp_path / "bin"
    _script(path, "java", "echo 'openjdk version \"17.0.1\"' >&2")
    central = "Downloaded from central: https://repo.maven.apache.org/maven2/x/"
    lines = "".join(f"echo '{central}{jar} (1.0 MB at 2.0 MB/s)'\n" for jar in ("a.jar", "b.jar"))
    _script(path, "mvn", f"echo '[INFO] Scanning'\n{lines}/bin/mkdir jars\necho >jars/a.jar")
    done = vipcare("kafka", "--fetch", PATH=str(path), HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["1 files, the last a.jar", "2 files, the last b.jar"]
    assert (tmp_path / ".cache" / "vipcare" / jars_folder().name / "a.jar").exists()


@pytest.mark.kafka
def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = vipcare("kafka", "--port", port, "--data", str(tmp_path))
        assert f"port {port} on 127.0.0.1 is taken: choose another" in refused(done)


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("listener", "to_do"),
    [("port", "choose another port, or 0 for any"), ("_controller", "start again")],
)
def test_a_port_that_is_taken_meanwhile(tmp_path: Path, listener: str, to_do: str) -> None:
    """After it was looked at, and before Kafka listens: Kafka's own log tells."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = KafkaServer(tmp_path / "data")
        setattr(server, listener, port)
        with pytest.raises(KafkaNodeError) as caught:
            server.start()
    first, *log = str(caught.value).splitlines()
    assert first == f"Kafka ended while it started: 127.0.0.1:{port} is taken, {to_do}:"
    assert any("Address already in use" in line for line in log)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700, "it holds customers' data"
    assert not any("SLF4J" in line or line.startswith("\tat") for line in log)


@pytest.mark.kafka
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only our own commands follow us")
def test_it_goes_with_whoever_started_it(tmp_path: Path) -> None:
    port = free_port()
    with running("kafka", "--port", str(port), "--data", str(tmp_path), **short_lived()) as kafka:
        read_until(kafka, "kafka on")
        assert answers("127.0.0.1", port)
        below = descendants(kafka.pid)
        assert any(command.startswith("java ") for command in below.values()), below
        os.kill(kafka.pid, 9)
        assert not still_there(below)


@pytest.mark.kafka
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Kafka outlives a killed owner")
def test_a_folder_that_is_in_use(tmp_path: Path) -> None:
    """Seen before anything is written: the first goes on, and a kill of it frees the folder."""
    command = ("kafka", "--port", "0", "--data", str(tmp_path / "data"))
    with running(*command, **short_lived()) as first:
        bootstrap = read_until(first, "kafka on")[-1].split()[2]
        written = (tmp_path / "data" / "server.properties").read_text()
        said = refused(vipcare("kafka", "--port", bootstrap.rpartition(":")[2], *command[3:]))
        assert f"data is in use by another vipcare kafka (process {first.pid}): stop that" in said
        assert (tmp_path / "data" / "server.properties").read_text() == written
        admin = AdminClient({"bootstrap.servers": bootstrap})
        admin.create_topics([NewTopic("t", 1, 1)])["t"].result(20)
        first.kill()
    with running(*command, **short_lived()) as second:
        assert read_until(second, "kafka on")[-1].split()[2] == bootstrap


@pytest.mark.kafka
def test_a_folder_that_is_not_ascii(tmp_path: Path) -> None:
    folder = tmp_path / "ké"
    environment = {**short_lived(), "LC_ALL": "C"}
    with running("kafka", "--port", "0", "--data", str(folder), **environment) as kafka:
        read_until(kafka, "kafka on")
    assert (folder / "data" / "meta.properties").exists()
    assert list(tmp_path.iterdir()) == [folder]
