"""What `vipcare up` runs: from its options and the settings in force to processes and addresses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agents.local.child import Spec
from agents.local.demo_clock import demo_clock
from agents.local.ports import LOOPBACK, free_port, split
from config.settings import Settings
from config.wires import ClickHouseSettings

EMBEDDED = "embedded"
KAFKA = "kafka"
"""Apache Kafka, one node, started here."""
_RESTARTS = 3
_KAFKA_PORT = 9092
_HERE = (LOOPBACK, "localhost", "::1")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for on the command line."""

    seconds: float | None = None
    workers: int = 1
    broker: str = EMBEDDED
    keep: bool = False
    """The data of an Apache Kafka that is started here, and what belongs to it."""
    clickhouse: str = EMBEDDED
    clock_rate: float | None = None
    bank: bool = True
    data: Path = Path(".vipcare")
    report: Path | None = None

    @property
    def fresh(self) -> bool:
        """A broker of this run begins empty, so records and tables must, too."""
        return self.broker == EMBEDDED or (self.broker == KAFKA and not self.keep)

    @property
    def kept(self) -> str:
        """The folder of what outlives a run: rows and records belong to one Kafka's offsets."""
        return "kept-kafka" if self.broker == KAFKA else "kept"

    @property
    def own_broker(self) -> bool:
        return self.broker in (EMBEDDED, KAFKA)


Override = dict[str, dict[str, Any]]


class PlanError(Exception):
    """The options and the settings do not go together; one line says what to do."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`overrides` go over the settings in force, in this process and in every child."""

    options: Options
    folder: Path
    overrides: Override
    settings: Settings

    def environment(self, **more: Mapping[str, Any]) -> dict[str, str]:
        """The overrides as `VIPCARE_…` variables, for a child."""
        sections = {**self.overrides}
        for section, values in more.items():
            sections[section] = {**sections.get(section, {}), **values}
        return {
            f"VIPCARE_{section}__{name}".upper(): str(value)
            for section, values in sections.items()
            for name, value in values.items()
        }

    def broker(self) -> Spec:
        port = str(split(self.settings.kafka.bootstrap)[1])
        if self.options.broker == EMBEDDED:
            return Spec("broker", ("broker", "--port", port))
        data = str(self.folder / "kafka")
        return Spec("broker", ("kafka", "--port", port, "--data", data), grace_s=25.0)

    def fetch(self) -> Spec:
        """Kafka from Maven, where it is not there yet."""
        return Spec("broker", ("kafka", "--fetch"))

    def clickhouse(self) -> Spec:
        settings = self.settings.clickhouse
        ports = ("--port", str(settings.port), "--http-port", str(settings.http_port))
        arguments = ("clickhouse", *ports, "--data", str(self.folder / "clickhouse"))
        return Spec("clickhouse", arguments, self.environment())

    def topics(self) -> Spec:
        return Spec("topics", ("topics", "create"), self.environment())

    def migrate(self) -> Spec:
        return Spec("migrate", ("migrate",), self.environment())

    def worker_data(self, number: int) -> Path:
        return self.folder / f"worker-{number}"

    def worker(self, number: int) -> Spec:
        settings = self.settings.worker
        port = free_port(settings.metrics_port if number == 1 else 0)
        own = {"data": self.worker_data(number), "metrics_port": port}
        return Spec(
            f"worker-{number}",
            ("worker",),
            self.environment(worker=own),
            restarts=_RESTARTS,
            grace_s=settings.drain_timeout_s + 5.0,
            metrics=f"{settings.host}:{port}",
        )

    def sink(self) -> Spec:
        settings = self.settings.sink
        port = free_port(settings.metrics_port)
        return Spec(
            "sink",
            ("sink",),
            self.environment(sink={"metrics_port": port}),
            restarts=_RESTARTS,
            metrics=f"{settings.host}:{port}",
        )

    def bank(self) -> Spec:
        return Spec("bank", ("bank",), self.environment())


def make_plan(options: Options, base: Settings, folder: Path, now: datetime) -> Plan:
    """Choose addresses and a clock, and put them over the settings in force.

    Raises PlanError, FileErrors.
    """
    overrides: Override = {
        "kafka": _kafka(options, base),
        "clickhouse": _clickhouse(options, base, now),
    }
    if options.broker == KAFKA:
        overrides["topics"] = {"replication": 1, "min_insync": 1}  # one node
    if clock := _clock(options, base, now.astimezone(UTC)):
        overrides["clock"] = clock
    merged = {
        name: {**getattr(base, name).model_dump(exclude_unset=True), **overrides.get(name, {})}
        for name in Settings.model_fields
    }
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise PlanError(_misfit(str(error.errors()[0]["loc"][0]))) from None
    return Plan(options=options, folder=folder, overrides=overrides, settings=settings)


def _clock(options: Options, base: Settings, now: datetime) -> dict[str, Any]:
    """What the settings have, unless a rate is asked for; a demo of its own has the demo's."""
    rate = options.clock_rate
    if options.bank and options.fresh and (base.clock.origin is None or rate is not None):
        return demo_clock(base, now, rate)
    if rate is None:
        return {}
    return {"rate": rate, "origin": now.isoformat(), "started": now.isoformat()}


def _misfit(section: str) -> str:
    return (
        f"what starts here speaks plainly, and the settings of {section} tell of TLS or a login: "
        f"name your own with --{'broker' if section == 'kafka' else section}, or run without "
        f"these settings (VIPCARE_SETTINGS, VIPCARE_{section.upper()}__…)"
    )


def left_aside(options: Options, base: Settings) -> Iterator[str]:
    """What the settings name and is not used, since a server starts here; a line each."""
    kafka, clickhouse = base.kafka.bootstrap, base.clickhouse
    if options.own_broker and _port_here(kafka) is None:
        yield (
            f"kafka.bootstrap {kafka} is not used: a broker starts here. Take yours with "
            f"--broker {kafka}"
        )
    if options.clickhouse == EMBEDDED and clickhouse.host not in _HERE:
        yield (
            f"clickhouse.host {clickhouse.host} is not used: a ClickHouse starts here. Take yours "
            f"with --clickhouse {clickhouse.host}:{clickhouse.port}"
        )


def _port_here(address: str) -> int | None:
    """The port of an address of this machine; None if it is another's, or of several."""
    if "," in address:
        return None
    host, port = split(address)
    return port if host in _HERE else None


def _kafka(options: Options, base: Settings) -> dict[str, Any]:
    if not options.own_broker:
        return {"bootstrap": options.broker}
    port = _port_here(base.kafka.bootstrap) or _KAFKA_PORT
    return {
        "bootstrap": f"{LOOPBACK}:{free_port(port)}",
        "transactions": options.broker == KAFKA,
        "security_protocol": "PLAINTEXT",
    }


def _clickhouse(options: Options, base: Settings, now: datetime) -> dict[str, Any]:
    if options.clickhouse == EMBEDDED:
        # Its user and password are those of the settings in force.
        here = base.clickhouse if base.clickhouse.host in _HERE else ClickHouseSettings()
        ports = {"port": free_port(here.port), "http_port": free_port(here.http_port)}
        return {"host": LOOPBACK, "secure": False, **ports}
    host, port = split(options.clickhouse)
    chosen: dict[str, Any] = {"host": host, "port": port}
    if options.fresh:  # another run's rows would stand at the same offsets
        chosen["database"] = f"{base.clickhouse.database}_run_{now:%Y%m%d_%H%M%S}"
    return chosen
