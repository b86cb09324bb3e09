"""Where scenarios happen: Apache Kafka, the local ClickHouse, a sink, traffic, and no mercy."""

import random
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

from agents.clickhouse import clickhouse_address
from agents.clock import BankClock
from agents.faults import Fault
from agents.topics import create
from config.load_rules import SHIPPED
from config.settings import (
    ClickHouseSettings,
    ClockSettings,
    KafkaSettings,
    Settings,
    SinkSettings,
    StepSettings,
    TopicSettings,
    WorkerSettings,
)
from schemas.metrics import RESTORE_LEFT
from sinks.clickhouse.migrate import migrate
from tests.kafka_server import KafkaServer
from tests.kill.audit import Auditor, Verdict
from tests.kill.feeder import Feeder, Flow
from tests.kill.keeper import Kept, wait_going_on, wait_until
from tests.kill.progress import Headway, applied, is_at, reached, written
from tests.kill.totals import Totals
from tests.kill.workload import Ledger, Traffic
from tests.sink.server import Server

PARTITIONS = 4
SESSION_S = 3.0
RATE = 300
"""Messages a second."""
CLOCK_RATE = 8_640
"""A bank day passes in ten seconds: timers of deposits come due while a scenario runs."""
FINE = frozenset((0, -9, Fault.FENCED))
"""How a worker may end in any scenario: stopped, killed, fenced."""


class World:
    """One deployment. Scenarios follow each other in it, and what one breaks the next inherits.

    `rate` is how many messages a second flow while one is played.
    """

    def __init__(self, folder: Path, seed: str, totals: Totals, rate: int = RATE) -> None:
        self.folder = folder
        self.seed = seed
        self.totals = totals
        self._rate = rate
        self.chance = random.Random(seed)
        self.ledger = Ledger()
        self._running: list[Kept] = []
        self._names = count(1)
        with ExitStack() as started:
            self._start(started)
            self._started = started.pop_all()

    def _start(self, started: ExitStack) -> None:
        self.server = KafkaServer(self.folder / "kafka", own_session=False)
        started.callback(self.server.stop)
        self.server.start()
        self.clickhouse = Server(_made(self.folder / "clickhouse"))
        started.callback(self._kill_clickhouse)
        self.settings = _settings(self.server.bootstrap, self.clickhouse.port, self.folder)
        create(self.settings)
        migrate(clickhouse_address(self.settings.clickhouse))
        self.feeder = Feeder(self.settings.kafka)
        self.feeder.send(self._traffic().rate())
        self.feeder.flush()
        self._auditor = Auditor(self.settings, self.ledger)
        self.sink = Kept("sink", "sink", self.settings, _made(self.folder / "logs"))
        started.callback(self.sink.end)
        self.sink.start()

    # -- traffic ---------------------------------------------------------------------------------
    def traffic(self) -> Iterator[object]:
        return iter(self._traffic())

    def _traffic(self) -> Traffic:
        clock = BankClock.from_settings(self.settings.clock)
        name = f"{self.seed}/{next(self._names)}"
        return Traffic(name, clock, PARTITIONS, self.ledger)

    def flow(self) -> Flow:
        """Traffic while the context is open."""
        return Flow(self.feeder, self.traffic(), self._rate)

    def send(self, messages: int) -> None:
        """So many at once; all of them are in Kafka when this returns."""
        for message in islice(self.traffic(), messages):
            self.feeder.send(message)
        self.feeder.flush()

    # -- workers ---------------------------------------------------------------------------------
    def data(self, name: str) -> Path:
        """The local disk of a worker."""
        return self.folder / "disks" / name

    def worker_settings(self, name: str, **values: object) -> Settings:
        changed = self.settings.worker.model_copy(update={"data": self.data(name), **values})
        return self.settings.model_copy(update={"worker": changed})

    @contextmanager
    def workers(
        self,
        *names: str,
        fails: dict[str, Iterable[str]] | None = None,
        fine: Iterable[int] = (),
    ) -> Iterator[list[Kept]]:
        """Supervised workers; at the end everything is applied, and they stop in order."""
        logs, allowed, plans = self.new_logs(), FINE.union(fine), fails or {}
        kept = [
            Kept("worker", name, self.worker_settings(name), logs, plans.get(name, ()), allowed)
            for name in names
        ]
        self._running += kept
        try:
            for one in kept:
                one.start()
            yield kept
            self.wait_applied()
            for one in kept:
                wait_until(lambda one=one: one.share() >= 0, f"{one.name} is there to be stopped")
                assert one.stop() == 0, f"{one.name} stopped badly\n{one.log[-2_000:]}"
        finally:
            for one in kept:
                one.end()
                self._running.remove(one)
                self._note(one)
        for one in kept:
            one.assert_fine()

    def new_logs(self) -> Path:
        return _made(self.folder / "logs" / f"{next(self._names):03d}")

    def _note(self, one: Kept) -> None:
        self.totals.ends.update(map(str, one.statuses))
        self.totals.kills += one.statuses.count(-9)
        self.totals.rebalances += one.told("worker_ready")

    # -- waiting ---------------------------------------------------------------------------------
    def wait_applied(self) -> None:
        """Until the position of every partition is at the end of all that was sent till now."""
        ends, now, headway = dict(self.feeder.ends), dict[tuple[str, int], int](), Headway()

        def all_are() -> bool:
            now.update(reached(self.settings))
            return is_at(now, ends)

        wait_going_on(all_are, lambda: headway.goes_on(now, self._left()), "everything is applied")

    def _left(self) -> dict[str, float]:
        """Changelog offsets that are to be restored yet, by partition."""
        samples = [sample for one in self._running for sample in one.metrics().items()]
        return {name: left for name, left in samples if name.startswith(RESTORE_LEFT.name)}

    def begin(self, scenario: str) -> None:
        """What is random from here on follows from the seed and the scenario's name."""
        self.chance = random.Random(f"{self.seed}/{scenario}")

    def verdict(self, *, whole: bool = False) -> Verdict:
        """All that readers see against the oracle and the ledger. No worker may run.

        It goes on from the last verdict, or compares the whole world from its beginning.
        """
        assert not self._running
        if not applied(self.settings, dict(self.feeder.ends)):
            with self.workers("one"):
                pass  # what came in after the scenario's workers had gone
        wait_until(lambda: written(self.settings), "the sink has written everything")
        auditor = Auditor(self.settings, self.ledger) if whole else self._auditor
        return auditor.verdict()

    def close(self) -> None:
        for one in self._running:
            one.end()
        self._started.close()

    def _kill_clickhouse(self) -> None:
        self.clickhouse.kill()

    def restart_clickhouse(self) -> None:
        """Killed, and started again at the same address."""
        port = self.clickhouse.port
        self.clickhouse.kill()
        time.sleep(self.chance.random())
        self.clickhouse = Server(self.folder / "clickhouse", port)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _settings(bootstrap: str, port: int, folder: Path) -> Settings:
    now = datetime.now(UTC)
    return Settings(
        kafka=KafkaSettings(bootstrap=bootstrap),
        topics=TopicSettings(partitions=PARTITIONS),
        clickhouse=ClickHouseSettings(port=port),
        sink=SinkSettings(batch_ms=200, backoff_max_s=1.0, session_timeout_s=SESSION_S),
        clock=ClockSettings(rate=CLOCK_RATE, origin=now, started=now),
        # What the ledger counts once comes again among the next 300 messages. If a topic's fetch
        # falls behind the others, a regular customer has more events than 64 in between; and on a
        # busy machine that may take longer than seventy seconds, which are seven days of this bank.
        step=StepSettings(duplicates_kept=1_024, duplicates_days=70),
        worker=WorkerSettings(
            rules=_rules(folder / "rules"),
            chunk_events=200,
            # So little that records leave it while they are on their way to the local store.
            cache_bytes=4_000_000,
            session_timeout_s=SESSION_S,
            rebalance_timeout_s=15,
            drain_timeout_s=5,
            transaction_timeout_ms=10_000,
        ),
    )


def _rules(folder: Path) -> Path:
    """The rules that are shipped, and the auditor's."""
    folder.mkdir()
    for path in (*SHIPPED.glob("*.yaml"), *(Path(__file__).parent / "rules").glob("*.yaml")):
        shutil.copy(path, folder)
    return folder
