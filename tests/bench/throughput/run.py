"""One run: a fresh process of a contender, on its own group and changelog, measured."""

import itertools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from agents.topics import create
from tests.bench.peers.task import Task, encode
from tests.bench.process import connections, end
from tests.bench.throughput import ours
from tests.bench.throughput.contenders import OURS, PEER_PYTHON, Contender
from tests.bench.throughput.ground import Ground, Headers, Sending
from tests.bench.throughput.progress import Committed, Counter, Journal, Progress
from tests.bench.throughput.window import Edge, Plan, follow
from tests.bench.throughput.workload import Workload

_numbers = itertools.count(1)


class Measured(Struct, frozen=True, kw_only=True):
    """The steady state of one run."""

    events: int
    seconds: float
    cpu_seconds: float
    """Of the contender's own process, user and system."""
    rss_bytes: int
    threads: int
    connections: int | None
    changelog_bytes: int | None
    """None where the contender has no changelog."""
    cache_hit_rate: float | None = None

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


def run(contender: Contender, workload: Workload, ground: Ground, plan: Plan) -> Measured:
    """Raises StuckError."""
    app = f"bench-{workload.name}-{contender.name}-{next(_numbers)}".replace("_", "-")
    changelog = contender.changelog.format(app=app, topics="--".join(sorted(workload.topics)))
    with tempfile.TemporaryDirectory(prefix="vipcare-bench-") as folder:
        try:
            if contender is OURS:
                return _ours(workload, ground, plan, app, Path(folder))
            return _peer(contender, workload, ground, plan, app, changelog, Path(folder))
        finally:
            if changelog:
                ground.remove_topic(changelog)


def _ours(workload: Workload, ground: Ground, plan: Plan, app: str, folder: Path) -> Measured:
    settings = ours.settings_of(ground, workload, app, folder / "worker")
    create(settings)
    changelog = OURS.changelog.format(app=app)
    ground.send(_records(workload, changelog))
    caches: list[ours.Cache] = []
    process = ours.start(settings)

    def look() -> None:
        caches.append(ours.cache(settings))

    journal = Journal(ground.bootstrap, ground.partitions)
    measured = _measure(process, journal, plan, ground, changelog, look)
    first, last = caches
    hits, misses = last.hits - first.hits, last.misses - first.misses
    return replace(measured, cache_hit_rate=hits / max(hits + misses, 1))


def _peer(
    contender: Contender,
    workload: Workload,
    ground: Ground,
    plan: Plan,
    app: str,
    changelog: str,
    folder: Path,
) -> Measured:
    if changelog and (workload.records or not contender.package):
        ground.make_topic(changelog)
    if contender.package == "quixstreams":
        ground.send(_records(workload, changelog, b"|r", [("__column_family__", b"default")]))
    else:
        ground.send(_records(workload, changelog))
    task = Task(
        workload=workload.name,
        bootstrap=ground.bootstrap,
        app=app,
        topics=list(workload.topics),
        partitions=ground.partitions,
        folder=str(folder),
        guarantee=contender.option,
        rules=str(ground.rules_file),
        cached_records=workload.cached_records,
    )
    progress: Progress = (
        Committed(ground.bootstrap, app, workload.topics, ground.partitions)
        if contender.commits_offsets
        else Counter(folder / "count")
    )
    python = str(PEER_PYTHON.absolute()) if contender.package else sys.executable
    command = [python, "-m", f"tests.bench.peers.{contender.module}", encode(task)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        return _measure(process, progress, plan, ground, changelog, lambda: None)
    except Exception as error:
        tail = (folder / "log").read_text(errors="replace")[-1_500:]
        error.add_note(f"{contender.title} said:\n{tail}")
        raise


def _measure(
    process: "subprocess.Popen[bytes]",
    progress: Progress,
    plan: Plan,
    ground: Ground,
    changelog: str,
    look: Callable[[], None],
) -> Measured:
    try:
        first, last = follow(process, progress, plan, lambda: ground.bytes_of(changelog), look)
        look()
        holds = connections(process.pid, ground.port)
    finally:
        end(process)
        progress.close()
    return _between(first, last, holds, has_changelog=bool(changelog and ground.kafka_data))


def _between(first: Edge, last: Edge, holds: int | None, *, has_changelog: bool) -> Measured:
    return Measured(
        events=last.count - first.count,
        seconds=last.at - first.at,
        cpu_seconds=last.seen.cpu_seconds - first.seen.cpu_seconds,
        rss_bytes=last.seen.rss_bytes,
        threads=last.seen.threads,
        connections=holds,
        changelog_bytes=last.changelog_bytes - first.changelog_bytes if has_changelog else None,
    )


def _records(
    workload: Workload, changelog: str, suffix: bytes = b"", headers: Headers | None = None
) -> Iterator[Sending]:
    """What the contender finds in its changelog when it starts."""
    for customer, stored in workload.stored():
        key = customer.encode()
        yield Sending(changelog, key, key + suffix, stored, headers)
