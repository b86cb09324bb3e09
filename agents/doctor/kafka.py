"""Is Kafka there, is the wire to it safe, and do its limits fit our settings?"""

from collections.abc import Iterator

from agents.diagnosis import transactions_problem, wire_problem
from agents.doctor.cluster import (
    Configuration,
    NotTold,
    admin_of,
    broker_configurations,
    metadata,
)
from agents.doctor.finding import Examined, Finding, fail, ok, warn
from agents.local.ports import answers, split
from config.settings import Settings

_CONNECT_S = 3.0
_TRANSACTIONS = "transaction.max.timeout.ms"


def reachable(examined: Examined) -> Iterator[Finding]:
    """The wire to the brokers, step by step, and to the addresses that they call their own."""
    kafka = examined.settings.kafka
    if problem := wire_problem(kafka):
        yield fail(problem, "nothing else can be asked of Kafka before that")
        return
    addresses = kafka.bootstrap.split(",")
    for address in addresses:
        if len(addresses) > 1 and not answers(*split(address), timeout_s=_CONNECT_S):
            yield warn(
                f"nobody answers at {address}, others do",
                "correct VIPCARE_KAFKA__BOOTSTRAP, or start that broker",
            )
    brokers = len(metadata(admin_of(examined.settings)).brokers)
    yield ok(f"{brokers} broker{'s' * (brokers != 1)}, found at {kafka.bootstrap}")


def wires(examined: Examined) -> Iterator[Finding]:
    """What crosses the network in plain text."""
    kafka, clickhouse = examined.settings.kafka, examined.settings.clickhouse
    open_kafka = [one for one in kafka.bootstrap.split(",") if not _is_here(split(one)[0])]
    if kafka.security_protocol in ("PLAINTEXT", "SASL_PLAINTEXT") and open_kafka:
        yield warn(
            f"customers' data goes to Kafka at {open_kafka[0]} in plain text",
            "use TLS: VIPCARE_KAFKA__SECURITY_PROTOCOL=SASL_SSL (config/README.md)",
        )
    if "sink" in examined.roles and not clickhouse.secure and not _is_here(clickhouse.host):
        yield warn(
            f"customers' data goes to ClickHouse at {clickhouse.host} in plain text",
            "use TLS: VIPCARE_CLICKHOUSE__SECURE=true and port 9440",
        )
    if not kafka.transactions:
        yield warn(
            "kafka.transactions is off: a killed worker may repeat effects and count twice",
            "on Apache Kafka leave VIPCARE_KAFKA__TRANSACTIONS at true",
        )


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def transactions(examined: Examined) -> Iterator[Finding]:
    """Whether the brokers have them, if the settings count on them; nothing is written."""
    if problem := transactions_problem(examined.settings.kafka):
        yield fail(problem, "worker and sink do not start before that")


def limits(examined: Examined) -> Iterator[Finding]:
    """What the brokers allow, against what worker and sink will ask for."""
    admin = admin_of(examined.settings)
    try:
        told = broker_configurations(admin, metadata(admin).brokers)
    except NotTold as reason:
        yield warn(
            f"the brokers do not tell their limits: {reason}",
            "timeouts were not compared; a worker whose session or transaction is refused says so",
        )
        return
    if not any(_TRANSACTIONS in configuration for configuration in told.values()):
        yield ok("the brokers tell no limits")
        return
    problems = {
        finding: None
        for configuration in told.values()
        for finding in _problems(configuration, examined)
    }
    yield from problems
    if not problems:
        yield ok("sessions and transactions are within what the brokers allow")


def _problems(broker: Configuration, examined: Examined) -> Iterator[Finding]:
    settings = examined.settings
    sessions = {
        "worker": settings.worker.session_timeout_s,
        "sink": settings.sink.session_timeout_s,
    }
    for role, seconds in sessions.items():
        if role in examined.roles:
            yield from _session(broker, role, seconds)
    if "worker" in examined.roles and settings.kafka.transactions:
        yield from _transactions(broker, settings)
    if broker.get("auto.create.topics.enable") == "true":
        yield warn(
            "the brokers make a topic of any name that is asked for",
            "set auto.create.topics.enable=false: a mistyped name would go unnoticed",
        )


def _session(broker: Configuration, role: str, seconds: float) -> Iterator[Finding]:
    least = int(broker.get("group.min.session.timeout.ms", 0)) / 1_000
    most = int(broker.get("group.max.session.timeout.ms", 10**9)) / 1_000
    if not least <= seconds <= most:
        yield fail(
            f"{role}.session_timeout_s is {seconds:g}, and the brokers allow {least:g} to {most:g}",
            f"set VIPCARE_{role.upper()}__SESSION_TIMEOUT_S, or group.min.session.timeout.ms",
        )


def _transactions(broker: Configuration, settings: Settings) -> Iterator[Finding]:
    asked = settings.worker.transaction_timeout_ms
    most = int(broker.get(_TRANSACTIONS, asked))
    if asked > most:
        yield fail(
            f"worker.transaction_timeout_ms is {asked:,}, and the brokers allow at most {most:,}",
            "lower VIPCARE_WORKER__TRANSACTION_TIMEOUT_MS, or raise transaction.max.timeout.ms",
        )
    copies = int(broker.get("transaction.state.log.replication.factor", 3))
    if copies < settings.topics.replication:
        yield warn(
            f"Kafka keeps its transactions in {copies} cop{'y' if copies == 1 else 'ies'}, the "
            f"topics in {settings.topics.replication}",
            "raise transaction.state.log.replication.factor before Kafka makes its topic",
        )
