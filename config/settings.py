"""All settings in one tree: environment (`VIPCARE_KAFKA__BOOTSTRAP=…`) over a file over defaults.

The file is named by `VIPCARE_SETTINGS` (default: none). Unknown names are errors.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

Port = Annotated[int, Field(ge=0, le=65_535)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(_Section):
    """Where Kafka is. One section for both clients, aiokafka and librdkafka."""

    bootstrap: str = Field("127.0.0.1:9092", description="addresses, host:port[,host:port]")
    transactions: bool = Field(
        True, description="off only for a broker that has none (the embedded one): flushes instead"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ca_file: Path | None = None


class TopicSettings(_Section):
    """The topics' shape. Partitions are fixed for the life of a deployment."""

    partitions: int = Field(4, ge=1, le=1_024)
    replication: int = Field(1, ge=1, description="3 in production")
    min_insync: int = Field(1, ge=1, description="2 in production")


class WorkerSettings(_Section):
    app: str = Field(
        "vipcare", pattern=r"^[a-zA-Z0-9._-]+$", description="names group and changelog"
    )
    data: Path = Field(Path(".vipcare/worker"), description="RocksDB; may be lost, never shared")
    metrics_port: Port = Field(0, description="/metrics; 0 = choose one and say it")
    host: str = Field("127.0.0.1", description="what /metrics listens on")
    chunk_events: int = Field(4_000, ge=1)
    chunk_bytes: int = Field(8 * 1024 * 1024, ge=1)
    linger_ms: int = Field(5, ge=0, description="how long a chunk waits to grow")
    merge_wait_ms: int = Field(
        500, ge=0, description="how long a chunk waits for another topic of its partition"
    )
    cache_bytes: int = Field(256 * 1024 * 1024, ge=0, description="decoded records")
    transaction_timeout_ms: int = Field(60_000, ge=1_000)
    session_timeout_s: float = Field(6.0, gt=0)
    rebalance_timeout_s: float = Field(30.0, gt=0)
    drain_timeout_s: float = Field(10.0, gt=0, description="below the rebalance timeout")
    rules: Path | None = Field(None, description="a folder of rules; none = those shipped")


class StepSettings(_Section):
    """What the pure core needs to know. Part of the deployment: a change changes results."""

    base_currency: str = Field("CNY", min_length=3, max_length=3)
    time_zone: str = "Asia/Shanghai"
    future_tolerance_s: int = Field(300, ge=0, description="real time; times the clock's rate")
    lateness_days: int = Field(30, ge=0, description="later events stay out of windows")
    duplicates_kept: int = Field(64, ge=1, le=4_096, description="recent event ids a record")
    duplicates_days: int = Field(7, ge=1, le=365, description="and for how long, by event time")


class ClickHouseSettings(_Section):
    host: str = "127.0.0.1"
    port: Port = 9000
    user: str = "default"
    password: SecretStr = SecretStr("")
    database: str = Field("vipcare", pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")
    secure: bool = False
    compression: Literal["none", "lz4", "zstd"] = "lz4"


class SinkSettings(_Section):
    group: str = "vipcare-sink"
    batch_rows: int = Field(10_000, ge=1)
    batch_ms: int = Field(500, ge=1)
    backoff_max_s: float = Field(30.0, gt=0)
    metrics_port: Port = 0
    host: str = "127.0.0.1"


class ClockSettings(_Section):
    """Bank time = `origin` + (real time - `started`) x `rate`. Shared by a whole stack."""

    rate: float = Field(1.0, gt=0)
    origin: datetime | None = Field(None, description="with `started`; none = real time")
    started: datetime | None = None


class BankSettings(_Section):
    """The simulated bank."""

    seed: int = 7
    customers: int = Field(300, ge=1, le=1_000_000)
    history_days: int = Field(90, ge=0)
    rate: float = Field(50.0, gt=0, description="live events a second (real time)")
    duplicates: float = Field(0.01, ge=0, le=0.5)
    late: float = Field(0.005, ge=0, le=0.5)
    broken: float = Field(0.002, ge=0, le=0.5)


class LogSettings(_Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Settings(BaseSettings):
    """Everything that can be set. `vipcare settings` shows what is in force."""

    model_config = SettingsConfigDict(
        env_prefix="VIPCARE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    worker: WorkerSettings = WorkerSettings()
    step: StepSettings = StepSettings()
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
            sources.append(YamlConfigSettingsSource(settings_cls, yaml_file=Path(file)))
        return tuple(sources)
