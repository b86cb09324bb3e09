"""`vipcare worker`: reads events, keeps records, fires rules; until SIGTERM or Ctrl-C."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable

import click
import faust
import structlog
import uvloop
from yarl import URL

from agents.app import LaneApp, create_app
from agents.cli.errors import UserError
from agents.cli.kafka_ready import check_kafka
from agents.cli.ops import serve, watchdog
from agents.core import core_settings
from agents.facts_feed import FactsFeed
from agents.faults import Fault, die, kind_of
from agents.follower import FollowError
from agents.logs import configure
from agents.rights_check import refusal
from agents.rules_feed import RulesFeed, RulesFeedError
from agents.watch import WorkerWatch
from config.load import load_settings
from config.placed_yaml import FileErrors
from config.settings import Settings
from schemas.events import INPUT_TOPICS
from schemas.metrics import WORKER
from sinks.metrics import Metrics
from sinks.private_folder import make_private
from sinks.watchdog import stacks
from streams.context import CoreSettings

SWITCH_INTERVAL_S = 0.0005
"""A commit takes the GIL again for every delivered message: 2,000 messages take 25 ms instead of
300 ms beside a busy main thread."""
GC_THRESHOLDS = (200_000, 20, 50)
"""Decoded events and records are many, live long and hold no cycles: with Python's defaults the
collector takes a fifth of the CPU (measured). A chunk opens some 100,000 lists of windows and lets
them go at its end; what is left in cycles meanwhile is little."""
STOP_S = 10.0
"""Beyond the drain, a stop takes so long at most."""
_CHATTY = (
    "faust",
    "mode",
    "agents.app",
    "agents.lane.consumer_thread",
    "agents.lane.transport",
    "agents.lane.table",
)
"""Loggers of Faust's services, ours included: every state of every service is a line of theirs."""


@click.command()
@click.option(
    "--accept-broken",
    multiple=True,
    type=click.Choice(INPUT_TOPICS),
    metavar="TOPIC",
    help="Go on although most of TOPIC is refused: it becomes dead letters. May be repeated.",
)
def worker(accept_broken: tuple[str, ...]) -> int:
    """Read events, keep the customers' records, fire rules, until SIGTERM or Ctrl-C.

    Exit status: 0 stopped in order; 2 refused to start; 10 and more, a fault (agents/faults.py);
    17 is one that you decide about: most of a topic is refused, and the last line says what to do.
    """
    settings = _accepting(load_settings(), accept_broken)
    configure(settings.log)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    core = _core(settings)
    check_kafka(settings, "worker")
    _make_folder(settings)
    metrics = Metrics(WORKER)
    with serve(metrics, settings.worker, "worker") as server:
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        gc.set_threshold(*GC_THRESHOLDS)
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        # Faust knows the members of a group by their address: it must be this process's own.
        url = URL(f"http://{socket.gethostname()}:{server.port}")
        structlog.get_logger().info(
            "worker_starting", metrics=server.url, kafka=settings.kafka.bootstrap
        )
        facts = FactsFeed(settings.kafka, metrics)
        rules = RulesFeed(settings, core, metrics)
        _read([facts, rules])
        app = create_app(settings, core, rules, facts.now, metrics, url)
        watch = WorkerWatch(app, rules, settings, metrics)
        with watchdog(watch.look, settings.worker) as dog:
            server.health = dog.health
            _run(app, watch, settings)
        facts.stop()
        rules.stop()
    structlog.get_logger().info("worker_stopped")
    _end_soon(app)
    return 0


def _accepting(settings: Settings, topics: tuple[str, ...]) -> Settings:
    accept = (*settings.refusals.accept, *topics)
    refusals = settings.refusals.model_copy(update={"accept": accept})
    return settings.model_copy(update={"refusals": refusals})


def _end_soon(app: LaneApp) -> None:
    """A stop that failed may leave threads behind, and among them a member of the group that keeps
    its partitions and reads nothing: Python would wait for them for ever."""
    status = Fault.CRASHED if app.lane.partitions else 0
    end = threading.Timer(STOP_S, os._exit, (status,))
    end.daemon = True
    end.start()


def _read(feeds: Iterable[FactsFeed | RulesFeed]) -> None:
    try:
        for feed in feeds:
            feed.start()
    except (FollowError, RulesFeedError, FileErrors) as error:
        raise UserError(str(error)) from error


def _core(settings: Settings) -> CoreSettings:
    try:
        return core_settings(settings)
    except FileErrors as error:
        raise UserError(str(error)) from None


def _make_folder(settings: Settings) -> None:
    folder = settings.worker.data
    try:
        make_private(folder)
    except OSError as error:
        raise UserError(f"worker.data {folder} cannot be made: {error.strerror}") from error


class _FaustWorker(faust.Worker):
    """Faust's, with an end: a stop while it starts, or after a crash, may wait for ever."""

    app: LaneApp
    settings: Settings
    stop_s: float

    def _crash(self, reason: BaseException) -> None:
        """A service below crashed. Nothing is cleaned up: what is not committed never happened."""
        if told := refusal(getattr(reason, "errno", None), "worker", self.settings):
            die(Fault.KAFKA, f"Kafka refused: {type(reason).__name__}. {told}")
        die(Fault.CRASHED, f"the worker crashed: {kind_of(reason)}")

    def _schedule_shutdown(self, number: signal.Signals) -> None:
        super()._schedule_shutdown(number)
        self.loop.call_later(self.stop_s, self._end)

    def _on_sigusr1(self) -> None:
        """Faust's would print the values of all variables, customers' data among them."""
        _tell_stacks()

    def _on_sigusr2(self) -> None:
        """Faust's would wait for a debugger."""
        _tell_stacks()

    def _end(self) -> None:
        if self.app.lane.partitions:
            message = f"the worker did not stop in {self.stop_s:g} s; starting again is safe"
            die(Fault.CRASHED, message)
        # All is drained and committed. Faust waits for a group that it was joining meanwhile.
        structlog.get_logger().info("worker_stopped", after_s=self.stop_s)
        os._exit(0)


def _tell_stacks() -> None:
    for thread, stack in stacks().items():
        structlog.get_logger().info("stack", thread=thread, frames=stack)


def _run(app: LaneApp, watch: WorkerWatch, settings: Settings) -> None:
    """Faust's worker until a signal; a crash of its is a fault of the process."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    watch.beat(loop)
    runner = _FaustWorker(app, loop=loop, quiet=True, override_logging=False)
    runner.settings = settings
    runner.stop_s = settings.worker.drain_timeout_s + STOP_S
    runner.spinner = None
    try:
        runner.execute_from_commandline()
    except SystemExit as end:
        if end.code:
            reason = runner.crash_reason or app.crash_reason
            die(Fault.CRASHED, f"the worker crashed: {type(reason).__name__}")
