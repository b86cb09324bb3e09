"""The `kafka` settings as librdkafka's configuration, for what works beside the worker."""

import logging

from confluent_kafka import KafkaException
from pydantic import SecretStr

from agents.diagnosis import wire_problem
from config.wires import KafkaSettings

MAX_MESSAGE_BYTES = 1_000_000
"""Kafka's default `max.message.bytes`, less room for the batch's own header."""
SILENT = logging.Logger("silent", level=logging.CRITICAL + 1)
"""For a client whose errors are raised: some it writes on standard error besides, whatever its
`log_level`."""


def librdkafka_config(settings: KafkaSettings) -> dict[str, str | int | float | bool]:
    """What every librdkafka client of a deployment has in common."""
    options = {"bootstrap.servers": settings.bootstrap}
    options["security.protocol"] = settings.security_protocol
    if settings.has_login:
        options |= {
            "sasl.mechanism": settings.sasl_mechanism or "",
            "sasl.username": settings.sasl_username or "",
            "sasl.password": _plain(settings.sasl_password),
        }
    if settings.has_tls:
        options |= {
            "ssl.ca.location": str(settings.ca_file or ""),
            "ssl.certificate.location": str(settings.certificate_file or ""),
            "ssl.key.location": str(settings.key_file or ""),
            "ssl.key.password": _plain(settings.key_password),
        }
    return {name: value for name, value in options.items() if value}


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def reader_config(settings: KafkaSettings, name: str) -> dict[str, str | int | float | bool]:
    """A consumer outside any group, told partition by partition what to read.

    `name` is what librdkafka wants for a group; nothing is committed under it.
    """
    return {
        **librdkafka_config(settings),
        "group.id": name,
        "enable.auto.commit": False,
        "fetch.queue.backoff.ms": 5,
        "log_level": 0,
    }


def unreachable(settings: KafkaSettings, error: KafkaException | None = None) -> str:
    """One line for a Kafka that does not answer: what is wrong with the wire, if that can be said.

    Takes up to some seconds.
    """
    if problem := wire_problem(settings):
        return problem
    said = f" ({error.args[0].str()})" if error else ""
    return (
        f"Kafka at {settings.bootstrap} does not answer{said}: "
        "is it well, and is VIPCARE_KAFKA__BOOTSTRAP right?"
    )
