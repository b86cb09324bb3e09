"""Which rights a part lacks, asked of Kafka itself; and what a refusal for lack of one means.

Kafka tells with a topic's or a group's description what the asking user may do. It does not tell
of transactional ids: lacking that right shows when a worker begins.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, the stub omits it
    AclOperation,
    AdminClient,
)

from agents.librdkafka import librdkafka_config
from agents.rights import Right, Role, rights_of
from config.settings import Settings
from config.wires import KafkaSettings

_ANSWER_S = 5.0
_TOLD = 6
REFUSALS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "group",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "transactional-id",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "cluster",
}
"""What Kafka's errors of rights are about."""
_OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "Create": AclOperation.CREATE,
}


def missing_rights(role: Role, settings: Settings, timeout_s: float = _ANSWER_S) -> list[Right]:
    """The rights that a role needs and this user has not, as far as Kafka tells."""
    return missing_of(rights_of(role, settings), settings.kafka, timeout_s)


def missing_of(
    rights: Sequence[Right], kafka: KafkaSettings, timeout_s: float = _ANSWER_S
) -> list[Right]:
    """Those that this user has not, as far as Kafka tells.

    Empty where it does not answer, or tells nobody's rights. Takes some milliseconds.
    """
    if not kafka.transactions:
        return []  # the embedded broker has no rights
    admin = AdminClient({**librdkafka_config(kafka), "log_level": 0})
    topics = _used(rights, "topic")
    asked: dict[tuple[str, str], Any] = {}
    found = admin.describe_topics(
        TopicCollection(topics), include_authorized_operations=True, request_timeout=timeout_s
    )
    asked |= {("topic", name): answer for name, answer in found.items()}
    if groups := _used(rights, "group"):
        found = admin.describe_consumer_groups(
            groups, include_authorized_operations=True, request_timeout=timeout_s
        )
        asked |= {("group", name): answer for name, answer in found.items()}
    allowed = {place: _allowed(answer) for place, answer in asked.items()}
    return [right for right in rights if _lacks(right, allowed.get((right.kind, right.name)))]


def lacking(missing: Sequence[Right], role: Role, user: str) -> str:
    """One line for rights that are missing."""
    told = ", ".join(map(str, missing[:_TOLD]))
    if more := len(missing[_TOLD:]):
        told += f", and {more} more"
    return (
        f"Kafka does not let {user} do all that the {role} does: missing is {told}; "
        f"`vipcare topics acls {role}` prints what it needs"
    )


def user_of(kafka: KafkaSettings) -> str:
    """Who the settings say that we are."""
    if kafka.has_login and kafka.sasl_username:
        return f"the user {kafka.sasl_username}"
    if kafka.certificate_file is not None:
        return f"the owner of {kafka.certificate_file}"
    return "a user without a name"


def refusal(code: int | None, role: Role, settings: Settings) -> str:
    """One line for an error that is about rights, which are named; empty for another error.

    `code` is Kafka's own, which both clients' errors have.
    """
    kind = REFUSALS.get(code or 0)
    if kind is None:
        return ""
    missing = missing_rights(role, settings)
    if not missing:  # Kafka does not tell of these, or gave it back meanwhile
        missing = [right for right in rights_of(role, settings) if right.kind == kind]
    return lacking(missing, role, user_of(settings.kafka))


def _used(rights: Iterable[Right], kind: str) -> list[str]:
    names = (right.name for right in rights if right.kind == kind and not right.prefixed)
    return list(dict.fromkeys(names))


def _allowed(answer: Any) -> frozenset[AclOperation] | None:
    """What one may do; None if that is not known."""
    try:
        told = answer.result().authorized_operations
    except KafkaException as error:
        refused = error.args[0].code() in REFUSALS
        return frozenset() if refused else None
    return frozenset(told) if told else None


def _lacks(right: Right, allowed: frozenset[AclOperation] | None) -> bool:
    return allowed is not None and _OPERATIONS[right.operation] not in allowed
