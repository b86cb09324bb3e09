"""One `vipcare up` from its first line to its last.

1. Start the stack; say when it is ready, and where.
2. Show what it does, until the time is over or someone interrupts.
3. With `--for` or `--report`: stop the bank, wait until everything is applied, stop the workers,
   whose timers would go on firing, wait until everything is written, read it all again, and print
   the portraits of five customers and the report.
4. Stop everything that was started, whatever happened before.
"""

import os
import shlex
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from confluent_kafka import KafkaException
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from agents.clock import real_millis
from agents.local.card import gallery
from agents.local.display import Display, View
from agents.local.drain import Progress, untaken
from agents.local.gallery import Gallery
from agents.local.interrupts import Interrupted, Interrupts
from agents.local.observer import Observer, Place
from agents.local.plan import EMBEDDED, KAFKA, Options, Plan, left_aside, make_plan
from agents.local.report_table import report_table
from agents.local.run_folder import RunFolder
from agents.local.stack import Stack
from agents.reconciliation.report import make_report, write_report
from agents.topics import places_of
from config.catalogue import FILE_VARIABLE
from config.settings import Settings
from config.wires import ClickHouseSettings
from schemas.events import INPUT_TOPICS
from sinks.clickhouse.tables import TABLE_OF

_POLL_S = 0.1
_STILL_S = 60.0
_LOOK_EVERY_S = 1.0


class NotDrained(Exception):  # noqa: N818  # says what happened
    """What was sent is not applied or written, and that does not get on; one line."""


def run(options: Options, base: Settings, console: Console) -> int:
    """Returns the exit status. Raises FolderError, PlanError, StackError, ChildDied, NotDrained."""
    now = datetime.now(UTC)
    with (
        Interrupts() as interrupts,
        RunFolder(options.data, fresh=options.fresh, now=now, kept=options.kept) as folder,
    ):
        plan = make_plan(options, base, folder.path, now)
        stack = Stack(plan, folder, interrupts)
        for line in left_aside(options, base):
            console.print(Text(line, "yellow"), soft_wrap=True)
        session = Session(plan, stack, interrupts, console, folder.tell(_told(plan)))
        try:
            return session.run()
        except Interrupted:
            console.print("interrupted", highlight=False)
            return 1 if options.report else 0
        finally:
            with console.status("stopping"):
                killed = stack.stop()
            said = f" (killed: {', '.join(killed)})" if killed else ""
            console.print(f"everything stopped{said}; logs in {folder.path}/logs", soft_wrap=True)


def _told(plan: Plan) -> dict[str, str]:
    """What another shell needs: the file that this one has its settings of is among it."""
    file = os.environ.get(FILE_VARIABLE)
    return ({FILE_VARIABLE: os.path.abspath(file)} if file else {}) | plan.environment()


class Session:
    """The steps between start and stop."""

    def __init__(
        self, plan: Plan, stack: Stack, interrupts: Interrupts, console: Console, environment: Path
    ) -> None:
        """`environment` is a file that another shell reads to be of this run."""
        self._plan = plan
        self._environment = environment
        self._stack = stack
        self._interrupts = interrupts
        self._console = console
        self._display = Display(console)
        self._gallery = Gallery(plan)

    def run(self) -> int:
        options = self._plan.options
        self._console.print(_introduction(self._plan), highlight=False)
        self._stack.start(self._display.step)
        self._console.print(_addresses(self._plan, self._stack), soft_wrap=True, highlight=False)
        self._console.print(_another_shell(self._environment), soft_wrap=True, highlight=False)
        self._began = time.monotonic()
        started = real_millis()
        with Observer(self._plan.settings, from_start=options.fresh) as observer:
            self._observer = observer
            with self._gallery, self._display:
                self._live()
                if options.seconds is None and options.report is None:
                    return 0
                self._drain()
        return self._report(started)

    def _live(self) -> None:
        """Show what happens until the time is over, or someone interrupts an endless run."""
        seconds = self._plan.options.seconds
        try:
            self._show("live", lambda: seconds is not None and self._elapsed() >= seconds)
        except Interrupted:
            if seconds is not None:
                raise

    def _drain(self) -> None:
        self._stack.stop_bank()
        inputs = dict.fromkeys(places_of(INPUT_TOPICS, self._plan.settings), 0)
        self._await("draining", "workers", lambda: {**inputs, **self._observer.positions})
        self._stack.stop_workers()
        sunk = dict.fromkeys(places_of(TABLE_OF, self._plan.settings), 0)
        self._await("draining", "the sink", lambda: {**sunk, **self._observer.sink_places()})

    def _await(self, phase: str, who: str, places: Callable[[], dict[Place, int]]) -> None:
        """Until nothing is left behind the places that someone has reached."""
        progress = Progress(time.monotonic(), _STILL_S)
        while (left := self._untaken(places())) != 0:
            if progress.stands_still(left, time.monotonic()):
                raise NotDrained(
                    f"{progress.least:,} messages still wait for {who}, and were not fewer "
                    f"{_STILL_S:g} s before: what holds them up is in the logs"
                )
            pause = time.monotonic() + _LOOK_EVERY_S
            self._show(phase, lambda until=pause: time.monotonic() >= until)  # type: ignore[misc]

    def _untaken(self, places: dict[Place, int]) -> int | None:
        """None where Kafka does not say, as in a rebalance."""
        try:
            return untaken(self._plan.settings.kafka, places)
        except (KafkaException, TimeoutError):
            return None

    def _show(self, phase: str, is_over: Callable[[], bool]) -> None:
        """Poll, look after the processes and draw. Raises Interrupted, ChildDied."""
        while not is_over():
            self._observer.poll(_POLL_S)
            for line in self._stack.check():
                self._display.say(line)
            self._display.show(self._view(phase))

    def _view(self, phase: str) -> View:
        children = self._stack.children.items()
        return View(
            facts=self._observer.facts,
            rate=self._observer.rate(),
            elapsed_s=self._elapsed(),
            total_s=self._plan.options.seconds,
            phase=phase,
            processes={name: (one.status is None, one.restarts) for name, one in children},
            star=self._gallery.shown,
        )

    def _report(self, started: int) -> int:
        ended = real_millis()
        with self._console.status("reading everything again, to compare"):
            report: dict[str, Any] = make_report(self._plan.settings, started, ended)
        if portraits := self._gallery.all():
            self._console.print(gallery(portraits))
        self._console.print(report_table(report))
        path = self._plan.options.report
        if path is None:
            return 0
        write_report(path, report)
        self._console.print(f"report in {path}", soft_wrap=True, highlight=False)
        return 0 if report["reconciled"] else 1

    def _partitions(self) -> range:
        return range(self._plan.settings.topics.partitions)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


def _introduction(plan: Plan) -> str:
    options = plan.options
    bank = "A simulated VIP bank sends events to" if options.bank else "Events come in on"
    workers = "a worker applies" if options.workers == 1 else f"{options.workers} workers apply"
    text = (
        f"[bold]vipcare[/bold]  {bank} Kafka; {workers} them to a record of each customer; rules "
        "fire; tasks and alerts go to Kafka and ClickHouse."
    )
    if options.broker == KAFKA:
        text += (
            "\n[dim]Apache Kafka keeps transactions: an event counts once, whatever process dies."
            "[/dim]"
        )
    if options.broker == EMBEDDED:
        text += (
            "\n[dim]The embedded broker keeps everything in memory and has no transactions: "
            "a run starts empty, and a killed worker may repeat an effect (under the same id)."
            "[/dim]"
        )
    clock = plan.settings.clock
    if clock.origin is not None:
        began = clock.origin.astimezone(ZoneInfo(plan.settings.step.time_zone))
        text += (
            f"\n[dim]The bank's clock begins at {began:%Y-%m-%d %H:%M}, and {clock.rate:g} of its "
            "seconds pass in one.[/dim]"
        )
    return f"{text}\n[dim]Data and logs: {plan.folder}[/dim]"


def _addresses(plan: Plan, stack: Stack) -> str:
    kafka, clickhouse = plan.settings.kafka, plan.settings.clickhouse
    metrics = ", ".join(
        f"{name} http://{child.spec.metrics}/metrics"
        for name, child in stack.children.items()
        if child.spec.metrics
    )
    return (
        f"[bold green]ready[/bold green]  kafka {kafka.bootstrap} · clickhouse "
        f"{clickhouse.host}:{clickhouse.port} (database {clickhouse.database}) · {metrics}"
        + (_try_http(clickhouse) if plan.options.clickhouse == EMBEDDED else "")
    )


def _another_shell(environment: Path) -> str:
    command = escape(f". {shlex.quote(str(environment.resolve()))}")
    return (
        f"[dim]other: {command}   in another shell: vipcare has these addresses there, and the "
        "bank's clock[/dim]"
    )


def _try_http(clickhouse: ClickHouseSettings) -> str:
    """How to ask the local ClickHouse with curl."""
    user = f" --user {clickhouse.user}" if clickhouse.password.get_secret_value() else ""
    address = f"http://{clickhouse.host}:{clickhouse.http_port}"
    query = f"SELECT rule_id, count() FROM {clickhouse.database}.tasks GROUP BY rule_id"  # noqa: S608  shown, not run
    return f"\n[dim]try:   curl {address}{user} --data '{query}'[/dim]"
