"""Questions to Kafka, in the form in which its admin client answers them."""

from collections.abc import Iterable, Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, the stub omits it
    AdminClient,
    ClusterMetadata,
    ConfigResource,
    ResourceType,
)

from agents.librdkafka import librdkafka_config
from config.settings import Settings

TIMEOUT_S = 5.0

Configuration = Mapping[str, str]


class NotTold(Exception):  # noqa: N818  # an answer, too
    """Kafka answers, but not this; one line."""


def admin_of(settings: Settings) -> AdminClient:
    """A client that says nothing on stderr."""
    return AdminClient({**librdkafka_config(settings.kafka), "log_level": 0})


def metadata(admin: AdminClient) -> ClusterMetadata:
    """Brokers and all topics. Raises KafkaException."""
    return admin.list_topics(timeout=TIMEOUT_S)


def topic_configurations(admin: AdminClient, names: Iterable[str]) -> dict[str, Configuration]:
    """Topic → what is in force. Raises NotTold if Kafka tells of none."""
    return _configurations(admin, ResourceType.TOPIC, names)


def broker_configurations(admin: AdminClient, ids: Iterable[int]) -> dict[str, Configuration]:
    """Broker's id → what is in force. Raises NotTold if Kafka tells of none."""
    return _configurations(admin, ResourceType.BROKER, [str(one) for one in ids])


def _configurations(
    admin: AdminClient, kind: ResourceType, names: Iterable[str]
) -> dict[str, Configuration]:
    resources = [ConfigResource(kind, name) for name in names]
    found: dict[str, Configuration] = {}
    refused = ""
    asked = admin.describe_configs(resources, request_timeout=TIMEOUT_S) if resources else {}
    for resource, outcome in asked.items():
        try:
            entries = outcome.result(timeout=TIMEOUT_S)
        except KafkaException as error:
            refused = _reason(error.args[0])
        except TimeoutError:
            refused = "it does not answer"
        else:
            values = {name: entry.value for name, entry in entries.items()}
            found[resource.name] = {name: value for name, value in values.items() if value}
    if refused and not found:
        raise NotTold(refused)
    return found


def _reason(error: KafkaError) -> str:
    if error.code() in (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    ):
        return "this user may not read configurations (the right DESCRIBE_CONFIGS)"
    return error.str()
