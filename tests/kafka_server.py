"""Apache Kafka for tests: the node that `vipcare up --broker kafka` runs, with shorter limits.

`python -m tests.kafka_server` runs one in the foreground, for trying things (`vipcare kafka` is the
same without the limits of tests).
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.local.kafka.jars import VERSION, KafkaUnavailableError, jars
from agents.local.kafka.node import KafkaNode
from tests.kafka_classes import shared_classes
from tests.ports import free_port

__all__ = ["VERSION", "KafkaServer", "KafkaUnavailableError", "jars"]

SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Options of a Java that lives for minutes beside others, and is over before it would be warm: a
start costs two thirds."""
_formatted: dict[str, bytes] = {}
"""What Kafka's own tool has written into a new folder: the same for all, and a start of Java."""
_SHORT_SESSIONS = {"group.min.session.timeout.ms": "1000"}


class KafkaServer(KafkaNode):
    """Its ports are those of tests. `own_session`: Ctrl-C in a terminal is for the test run, which
    then stops it. `java=()` is for measuring."""

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        own_session: bool = True,
        java: Sequence[str] = SHORT_LIVED,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        chosen = _SHORT_SESSIONS | dict(properties or {})
        options = _with_classes(java) if java else ()
        super().__init__(folder, port, properties=chosen, java=options, own_session=own_session)

    def choose_port(self) -> int:
        return free_port()

    def format_data(self) -> None:
        data = self.folder / "data"
        if not _formatted:
            super().format_data()
            _formatted.update({file.name: file.read_bytes() for file in data.iterdir()})
        data.mkdir(exist_ok=True)
        for name, content in _formatted.items():
            (data / name).write_bytes(content)


def _with_classes(java: Sequence[str]) -> Sequence[str]:
    classes = shared_classes(java)
    return (*java, f"-XX:SharedArchiveFile={classes}") if classes else java


def short_lived() -> dict[str, str]:
    """The variable with which a Kafka that a command starts is a Java of tests, too."""
    return {"JDK_JAVA_OPTIONS": " ".join(f'"{one}"' for one in _with_classes(SHORT_LIVED))}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.kafka_server", description=__doc__)
    parser.add_argument("--port", type=int, default=9092)
    parser.add_argument("--folder", type=Path, help="keep the data here (default: a temporary one)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory() as made:
        server = KafkaServer(options.folder or Path(made), options.port, java=())
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
