"""A fresh process of a contender, on a group and changelog of its own."""

import itertools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agents.topics import create
from tests.bench.peers.task import Task, encode
from tests.bench.process import end
from tests.bench.throughput import ours
from tests.bench.throughput.contenders import OURS, PEER_PYTHON, Contender
from tests.bench.throughput.ground import Ground, Headers, Sending
from tests.bench.throughput.progress import Committed, Counter, Journal, Progress
from tests.bench.throughput.workload import Workload

_numbers = itertools.count(1)


class Launched(NamedTuple):
    process: "subprocess.Popen[bytes]"
    progress: Progress
    changelog: str
    """The topic's name, empty if it has none."""
    cache: Callable[[], ours.Cache] | None = None


@contextmanager
def launched(contender: Contender, workload: Workload, ground: Ground) -> Iterator[Launched]:
    """Its changelog holds the workload's records already. An error gets the process's last words
    as a note; its changelog is removed at the end."""
    app = f"bench-{workload.name}-{contender.name}-{next(_numbers)}".replace("_", "-")
    changelog = contender.changelog.format(app=app, topics="--".join(sorted(workload.topics)))
    with tempfile.TemporaryDirectory(prefix="vipcare-bench-") as made:
        folder = Path(made)
        said = folder / "log"
        with said.open("wb") as log:
            start = _ours if contender is OURS else _peer
            it = start(contender, workload, ground, app, changelog, folder, log.fileno())
        try:
            yield it
        except Exception as error:
            error.add_note(f"{contender.title} said:\n{said.read_text(errors='replace')[-1_500:]}")
            raise
        finally:
            end(it.process)
            it.progress.close()
            if changelog:
                ground.remove_topic(changelog)


def _ours(
    _contender: Contender,
    workload: Workload,
    ground: Ground,
    app: str,
    changelog: str,
    folder: Path,
    log: int,
) -> Launched:
    settings = ours.settings_of(ground, workload, app, folder / "worker")
    create(settings)
    ground.send(_records(workload, changelog))
    journal = Journal(ground.bootstrap, ground.partitions)
    process = ours.start(settings, log)
    return Launched(process, journal, changelog, lambda: ours.cache(settings))


def _peer(
    contender: Contender,
    workload: Workload,
    ground: Ground,
    app: str,
    changelog: str,
    folder: Path,
    log: int,
) -> Launched:
    if contender.package != "quixstreams":
        if changelog:
            ground.make_topic(changelog)
        ground.send(_records(workload, changelog))
    elif workload.records:
        ground.make_topic(changelog)
        # As Quix Streams writes it: the key and the name of the value, and the column family.
        ground.send(_records(workload, changelog, b"|r", [("__column_family__", b"default")]))
    task = Task(
        workload=workload.name,
        bootstrap=ground.bootstrap,
        app=app,
        topics=list(workload.topics),
        partitions=ground.partitions,
        folder=str(folder),
        guarantee=contender.option,
        rules=str(ground.rules_file),
        commit_s=contender.commit_s,
        cached_records=workload.cached_records,
    )
    progress: Progress = (
        Committed(ground.bootstrap, app, workload.topics, ground.partitions)
        if contender.commits_offsets
        else Counter(folder / "count")
    )
    python = str(PEER_PYTHON.absolute()) if contender.package else sys.executable
    command = [python, "-m", f"tests.bench.peers.{contender.module}", encode(task)]
    return Launched(subprocess.Popen(command, stdout=log, stderr=log), progress, changelog)


def _records(
    workload: Workload, changelog: str, suffix: bytes = b"", headers: Headers | None = None
) -> Iterator[Sending]:
    """What the contender finds in its changelog when it starts."""
    for customer, stored in workload.stored():
        key = customer.encode()
        yield Sending(changelog, key, key + suffix, stored, headers)
