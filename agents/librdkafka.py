"""The `kafka` settings as librdkafka's configuration, for what works beside the worker."""

from confluent_kafka import KafkaException

from config.settings import KafkaSettings


def librdkafka_config(settings: KafkaSettings) -> dict[str, str | int | float | bool]:
    """What every librdkafka client of a deployment has in common."""
    options = {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.sasl_username,
        "sasl.password": settings.sasl_password and settings.sasl_password.get_secret_value(),
        "ssl.ca.location": settings.ca_file and str(settings.ca_file),
    }
    return {name: value for name, value in options.items() if value}


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


def unreachable(settings: KafkaSettings, error: KafkaException) -> str:
    """One line for a Kafka that does not answer."""
    return (
        f"Kafka at {settings.bootstrap} does not answer ({error.args[0].str()}): "
        "is it running, and is VIPCARE_KAFKA__BOOTSTRAP right?"
    )
