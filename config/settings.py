"""All settings in one tree: environment (`VIPCARE_KAFKA__BOOTSTRAP=…`) over a file over defaults.

The file is named by `VIPCARE_SETTINGS` (default: none). Unknown names are errors.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.section import GivenPath, Port, Section, clash
from config.settings_file import read_settings_file
from config.wires import ClickHouseSettings, KafkaSettings
from schemas.events import INPUT_TOPICS

MAX_CLOCK_RATE = 31_536_000
"""A year in a second."""
MAX_BANK_RATE = 1_000_000
MAX_HISTORY_DAYS = 1_095
MAX_SESSION_S = 90
"""Faust's `broker_request_timeout`: it refuses a longer session."""
MAX_CHUNK_BYTES = 1024**3
"""Kafka's client asks for half of it at a time, in 32 bits."""


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("write an IANA name such as Asia/Shanghai or UTC")
    return name


def _listed(given: object) -> object:
    return given.replace(",", " ").split() if isinstance(given, str) else given


def _input_topics(names: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := set(names).difference(INPUT_TOPICS):
        raise ValueError(f"{min(unknown)} is no input topic: {', '.join(INPUT_TOPICS)} are")
    return names


InputTopics = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_input_topics)
]


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
"""Of people."""


class TopicSettings(Section):
    """The topics' shape. Partitions are fixed for the life of a deployment."""

    partitions: int = Field(4, ge=1, le=1_024, description="of each topic keyed by customer")
    replication: int = Field(1, ge=1, description="3 in production")
    min_insync: int = Field(1, ge=1, description="2 in production")


class WorkerSettings(Section):
    """The worker: its state, its chunks, its place in the group."""

    app: str = Field(
        "vipcare", pattern=r"^[a-zA-Z0-9._-]+$", description="names group and changelog"
    )
    data: GivenPath = Field(
        Path(".vipcare/worker"), description="RocksDB; may be lost, never shared"
    )
    metrics_port: Port = Field(
        0, description="/metrics, /healthz, /readyz; 0 = choose one and say it"
    )
    host: str = Field("127.0.0.1", description="what they listen on")
    chunk_events: int = Field(16_000, ge=1, description="a chunk has at most so many events")
    chunk_bytes: int = Field(
        16 * 1024 * 1024, ge=1_024, le=MAX_CHUNK_BYTES, description="and so many bytes"
    )
    linger_ms: int = Field(1, ge=0, le=60_000, description="how long a chunk waits to grow")
    merge_wait_ms: int = Field(
        10_000,
        ge=0,
        le=60_000,
        description="how long a chunk waits for another topic of its partition that is behind",
    )
    expected_delay_ms: int = Field(
        200, ge=0, description="timers wait so long for events that are on their way (real time)"
    )
    lagging_topics: InputTopics = Field(
        (),
        description="input topics that timers and other topics do not wait for while they are "
        "behind, with commas between several",
    )
    cache_bytes: int = Field(256 * 1024 * 1024, ge=0, description="decoded records")
    transaction_timeout_ms: int = Field(
        60_000,
        ge=1_000,
        le=900_000,
        description="a longer pause of a worker ends it; more than 15 minutes Kafka mostly refuses",
    )
    session_timeout_s: float = Field(
        6.0,
        ge=1,
        le=MAX_SESSION_S,
        description="a worker silent for so long has lost its partitions; Kafka refuses less than "
        "its `group.min.session.timeout.ms`, which is mostly 6 s",
    )
    rebalance_timeout_s: float = Field(
        30.0, ge=1, le=3_600, description="how long a worker may take to give up partitions"
    )
    drain_timeout_s: float = Field(
        10.0,
        gt=0,
        description="how long the chunks under way may take to end then; below "
        "`rebalance_timeout_s`",
    )
    standbys: int = Field(
        1, ge=0, le=3, description="other workers that keep a warm copy of a partition"
    )
    instance: str = Field(
        "",
        pattern=r"^([a-zA-Z0-9][a-zA-Z0-9.-]*)?$",
        max_length=200,
        description="a name of this worker's own; with one, a restart within the session moves "
        "nothing, and a stop takes as long to be noticed",
    )
    stalled_after_s: float = Field(
        120.0, gt=0, description="unhealthy when nothing got on for so long, see agents/README.md"
    )
    stalled_exit_after_s: float = Field(
        30.0, ge=0, description="how long after that the worker ends itself; 0 = never"
    )
    ready_lag: int = Field(
        100_000, ge=0, description="not ready while a partition is further behind; 0 = no matter"
    )
    rules: GivenPath | None = Field(
        None,
        description="a folder of rules, in force while `vip.rules` is empty; none = those shipped",
    )
    rule_errors: int = Field(
        20, ge=1, description="a rule that raised so often in a worker runs in shadow"
    )

    @model_validator(mode="after")
    def _stalls_are_longer_than_waits(self) -> Self:
        waits = {
            "transaction_timeout_ms": self.transaction_timeout_ms / 1_000,
            "rebalance_timeout_s": self.rebalance_timeout_s,
            "session_timeout_s": self.session_timeout_s,
            "linger_ms": self.linger_ms / 1_000,
            "merge_wait_ms": self.merge_wait_ms / 1_000,
        }
        longest = max(waits, key=waits.__getitem__)
        if self.stalled_after_s <= waits[longest]:
            message = f"stalled_after_s must be longer than {longest}, {waits[longest]:,g} s"
            raise clash(message, "stalled_after_s", longest)
        return self

    @model_validator(mode="after")
    def _drains_within_a_rebalance(self) -> Self:
        limit = self.rebalance_timeout_s
        if self.drain_timeout_s >= limit:
            message = f"drain_timeout_s must be below rebalance_timeout_s, {limit:,g} s"
            raise clash(message, "drain_timeout_s", "rebalance_timeout_s")
        return self


class StepSettings(Section):
    """What the pure core needs to know. Part of the deployment: a change changes results."""

    future_tolerance_s: int = Field(300, ge=0, description="real time; times the clock's rate")
    lateness_days: int = Field(30, ge=0, description="later events stay out of windows")
    duplicates_kept: int = Field(64, ge=1, le=4_096, description="recent event ids a record")
    duplicates_days: int = Field(
        7,
        ge=1,
        le=365,
        description="and for how long, by event time; one that is sent again later than that "
        "counts twice, also within `lateness_days`",
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        "Asia/Shanghai", description="the bank's, for dates and times of day (an IANA name)"
    )
    attributes: GivenPath | None = Field(
        None, description="a file of attributes, see below; none = the one shipped"
    )
    calendar: GivenPath | None = Field(
        None, description="a file of public holidays, see below; none = mainland China's"
    )
    holidays_ahead: int = Field(
        5, ge=0, le=30, description="so many business days ahead customers are told of holidays"
    )
    templates: GivenPath | None = Field(
        None, description="a folder of greeting templates (rules/README.md); none = those shipped"
    )
    language: str = Field(
        "zh",
        pattern=r"^[a-z]{2,3}$",
        description="of greetings, where the customer's own has no template",
    )
    base_currency: str = Field(
        "CNY", pattern=r"^[A-Z]{3}$", description="the bank's, of all base amounts (ISO 4217)"
    )


class RefusalSettings(Section):
    """When a worker stops because most of a topic of a partition is refused (agents/README.md)."""

    window: int = Field(1_000, ge=10, le=4_096, description="so many last events of a topic count")
    share: float = Field(
        0.5, gt=0, le=1, description="stop when so much of them, or more, is refused"
    )
    minimum: int = Field(50, ge=1, description="but fewer refused ones never stop a worker")
    accept: InputTopics = Field(
        (),
        description="input topics that may become dead letters whole, with commas between several",
    )

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.minimum > self.window:
            message = f"minimum must not be above window, {self.window:,}"
            raise clash(message, "minimum", "window")
        return self


class RegisterSettings(Section):
    """Who may change the rules: the names that `vipcare rules … --as NAME` takes."""

    authors: Names = Field(
        (), description="who may publish versions of rules, with commas between several"
    )
    publishers: Names = Field(
        (), description="who may put them in force: never the author of the version"
    )


class SinkSettings(Section):
    """The sink: from the topics into ClickHouse."""

    group: str = Field("vipcare-sink", description="its consumer group")
    session_timeout_s: float = Field(
        10.0, ge=1, le=300, description="one silent for so long has lost its partitions"
    )
    batch_rows: int = Field(10_000, ge=1, description="insert after so many rows")
    batch_ms: int = Field(500, ge=1, description="or after so long")
    batch_mb: int = Field(16, ge=1, description="or after about so many megabytes")
    backoff_max_s: float = Field(
        30.0, gt=0, description="the longest pause between tries while ClickHouse is away"
    )
    refused_limit: int = Field(
        100,
        ge=1,
        description="wait when so many more rows of a table are refused than land",
    )
    metrics_port: Port = Field(
        0, description="/metrics, /healthz, /readyz; 0 = choose one and say it"
    )
    host: str = Field("127.0.0.1", description="what they listen on")
    stalled_after_s: float = Field(
        120.0, gt=0, description="unhealthy when nothing got on for so long, see sinks/README.md"
    )
    stalled_exit_after_s: float = Field(
        30.0, ge=0, description="how long after that the sink ends itself; 0 = never"
    )


class ClockSettings(Section):
    """Bank time = `origin` + (real time - `started`) x `rate`. Shared by a whole stack."""

    rate: float = Field(
        1.0,
        gt=0,
        le=MAX_CLOCK_RATE,
        description="bank seconds in a real second; other than 1 only with `origin` and `started`",
    )
    origin: datetime | None = Field(None, description="with `started`; none = real time")
    started: datetime | None = Field(None, description="the real time at which it was `origin`")

    @model_validator(mode="after")
    def _one_clock_for_all(self) -> Self:
        if (self.origin is None) != (self.started is None):
            raise clash("set both, origin and started, or neither", "origin", "started")
        if self.rate != 1 and self.origin is None:
            # Each process would begin at its own start, and no two would have the same time.
            message = "with a rate other than 1, set origin and started for all processes alike"
            raise clash(f"{message} (vipcare up --clock-rate does)", "rate", "origin", "started")
        return self


class BankSettings(Section):
    """The simulated bank."""

    seed: int = Field(7, description="the same seed and origin give the same bytes")
    customers: int = Field(300, ge=1, le=1_000_000, description="how many VIP customers")
    history_days: int = Field(
        200, ge=0, le=MAX_HISTORY_DAYS, description="sent first, before it goes live"
    )
    rate: float = Field(
        50.0, gt=0, le=MAX_BANK_RATE, description="live events a second (real time)"
    )
    skew: float = Field(
        1.0, ge=0, le=3, description="how much more active customers do; 0 = all do the same"
    )
    duplicates: float = Field(0.01, ge=0, le=0.5, description="the share of events sent twice")
    late: float = Field(0.005, ge=0, le=0.5, description="the share that comes late")
    broken: float = Field(
        0.002, ge=0, le=0.5, description="so many broken messages, as a share of the events"
    )
    mis_keyed: float = Field(
        0.0005, ge=0, le=0.5, description="so many messages under another's key, likewise"
    )
    storylines: GivenPath | None = Field(
        None, description="a file of storylines, see agents/bank/README.md; none = those shipped"
    )


class LogSettings(Section):
    """What the processes log, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="from here up")
    format: Literal["json", "console"] = Field("json", description="for machines, or for people")


class Settings(BaseSettings):
    """Everything that can be set. `vipcare settings` shows what is in force."""

    model_config = SettingsConfigDict(
        env_prefix="VIPCARE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    worker: WorkerSettings = WorkerSettings()
    step: StepSettings = StepSettings()
    refusals: RefusalSettings = RefusalSettings()
    rules: RegisterSettings = RegisterSettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    sink: SinkSettings = SinkSettings()
    clock: ClockSettings = ClockSettings()
    bank: BankSettings = BankSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the hook's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the hook's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        sources: list[Any] = [init_settings, env_settings]
        if file := os.environ.get("VIPCARE_SETTINGS"):
            sources.append(InitSettingsSource(settings_cls, read_settings_file(Path(file)).data))
        return tuple(sources)
