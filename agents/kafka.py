"""One `kafka` settings section for both clients: Faust's aiokafka and librdkafka."""

from typing import Any

from faust.auth import SASLCredentials, SSLCredentials
from yarl import URL

from agents.librdkafka import MAX_MESSAGE_BYTES, librdkafka_config
from agents.tls import tls_context
from config.settings import WorkerSettings
from config.wires import KafkaSettings


def faust_brokers(settings: KafkaSettings) -> list[URL]:
    """The addresses as Faust wants them."""
    return [URL(f"kafka://{address}") for address in settings.bootstrap.split(",")]


def faust_credentials(settings: KafkaSettings) -> SASLCredentials | SSLCredentials | None:
    """What Faust hands to aiokafka; None for a plain connection."""
    context = tls_context(settings)
    if settings.has_login:
        password = settings.sasl_password
        return SASLCredentials(
            username=settings.sasl_username,
            password=password.get_secret_value() if password else None,
            ssl_context=context,
            mechanism=settings.sasl_mechanism,
        )
    return SSLCredentials(context) if context else None


def producer_config(
    settings: KafkaSettings, worker: WorkerSettings, partition: int
) -> dict[str, Any]:
    """The producer of one partition runner: transactional where the broker has transactions."""
    config: dict[str, Any] = {
        **librdkafka_config(settings),
        "client.id": f"{worker.app}-{partition}",
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "queue.buffering.max.messages": 1_000_000,
        "queue.buffering.max.kbytes": 1_048_576,
        "log_level": 4,
    }
    if not settings.transactions:
        return config | {"acks": "all", "enable.idempotence": False}
    return config | {
        "transactional.id": f"{worker.app}-{partition}",
        "transaction.timeout.ms": worker.transaction_timeout_ms,
        "message.timeout.ms": worker.transaction_timeout_ms,
    }
