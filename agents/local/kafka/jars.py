"""Kafka's jars: fetched from Maven once, kept in ~/.cache/vipcare, used without a network later."""

import fcntl
import hashlib
import re
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from agents.local.lifeline import kill_with_parent

VERSION = "4.1.1"
_LOG4J = "2.24.3"
"""What this Kafka logs with; without its binding to SLF4J Kafka would say nothing of its faults."""
OLDEST_JAVA = 17
_EMBEDDED = "or use the embedded broker (vipcare up), or the address of a Kafka"
_DOWNLOADED = re.compile(r"Downloaded from [^ ]+: \S*/(\S+\.jar)")

_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>vipcare</groupId><artifactId>local-kafka</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>{_LOG4J}</version>
    </dependency>
  </dependencies>
</project>
"""

Progress = Callable[[str], None]
"""Is told, in a few words, how far a fetch has come."""


class KafkaUnavailableError(Exception):
    """Apache Kafka cannot run here; one line that says what is missing and what to do."""


def jars_folder() -> Path:
    """Where the jars are, or will be; other jars would have another folder."""
    digest = hashlib.sha256(_POM.encode()).hexdigest()[:8]
    return Path.home() / ".cache" / "vipcare" / f"kafka-{VERSION}-{digest}"


def jars(progress: Progress = lambda _: None) -> Path:
    """The folder with Kafka's jars, fetched if need be. Raises KafkaUnavailableError."""
    check_java()
    folder = jars_folder()
    if not folder.exists():
        with _alone(folder):
            if not folder.exists():
                _fetch(folder, progress)
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two mvn at once spoil each other's downloads: one fetches, the others wait."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        place = error.filename or folder.parent
        raise KafkaUnavailableError(f"{place}: {error.strerror}: Kafka is kept there") from error


@cache
def check_java() -> None:
    """Raises KafkaUnavailableError where no Java that runs Kafka is on PATH."""
    wanted = f"install Java {OLDEST_JAVA} or newer (Debian: openjdk-17-jre-headless), {_EMBEDDED}"
    if shutil.which("java") is None:
        raise KafkaUnavailableError(f"java is not on PATH: {wanted}")
    told = subprocess.run(
        ["java", "-version"],  # noqa: S607  # whichever is on PATH
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    # A line that JAVA_TOOL_OPTIONS has it say may stand before the version.
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    if found is None:
        said = " ".join(told.split())[:200]
        raise KafkaUnavailableError(f"java does not say its version ({said}): {wanted}")
    if int(found[1]) < OLDEST_JAVA:
        raise KafkaUnavailableError(f"java is version {found[1]}, too old for Kafka: {wanted}")


def _fetch(folder: Path, progress: Progress) -> None:
    if shutil.which("mvn") is None:
        raise KafkaUnavailableError(
            f"mvn is not on PATH and {folder} is not there: install Maven (Debian: maven) for one "
            f"run, {_EMBEDDED}"
        )
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        Path(made, "pom.xml").write_text(_POM, encoding="utf-8")
        command = ["mvn", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
        with subprocess.Popen(  # noqa: S603  # Maven, whichever is on PATH
            command,
            cwd=made,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=kill_with_parent,  # noqa: PLW1509  # one system call, no locks
        ) as maven:
            assert maven.stdout is not None
            last = _follow(maven.stdout, progress)
        if maven.returncode:
            raise KafkaUnavailableError(
                f"Maven could not fetch Apache Kafka {VERSION} ({_first_error(last)}): is Maven "
                f"Central reachable, or a mirror named in ~/.m2/settings.xml? {_EMBEDDED}"
            )
        # A rename shows the folder whole or not at all: a fetch that is interrupted leaves nothing.
        Path(made, "jars").rename(folder)


def _follow(lines: Iterable[str], progress: Progress) -> list[str]:
    """Tell what arrives; returns the last lines."""
    last: deque[str] = deque(maxlen=40)
    arrived = 0
    for line in lines:
        last.append(line.strip())
        if found := _DOWNLOADED.search(line):
            arrived += 1
            progress(f"{arrived} files, the last {found[1]}")
    return list(last)


def _first_error(lines: Iterable[str]) -> str:
    errors = (line.removeprefix("[ERROR]").strip() for line in lines if line.startswith("[ERROR]"))
    return next(errors, "it said nothing")[:300]
