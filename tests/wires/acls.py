"""Rights given and taken on a test's Kafka, from the very command lines that vipcare prints."""

import argparse
import shlex
import time
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from agents.rights import Right, Role, acl_commands, rights_of
from config.settings import Settings

_OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "Create": AclOperation.CREATE,
}
_KINDS = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,
}


def parsed(line: str) -> tuple[str, list[Right]]:
    """Principal and rights of a line, read as Kafka's tool reads it; any other word is an error."""
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--bootstrap-server", required=True)
    parser.add_argument("--command-config")
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal", required=True)
    parser.add_argument("--operation", action="append", required=True)
    parser.add_argument("--resource-pattern-type", choices=["literal", "prefixed"])
    parser.add_argument("--cluster", action="store_true")
    for kind in ("topic", "group", "transactional-id"):
        parser.add_argument(f"--{kind}", action="append", default=[])
    program, *words = shlex.split(line)
    assert program == "kafka-acls.sh"
    told = parser.parse_args(words)
    prefixed = told.resource_pattern_type == "prefixed"
    places = [("cluster", "kafka-cluster")] if told.cluster else []
    for kind in ("topic", "group", "transactional-id"):
        places += [(kind, name) for name in getattr(told, kind.replace("-", "_"))]
    rights = [
        Right(operation, kind, name, prefixed)  # type: ignore[arg-type]
        for operation in told.operation
        for kind, name in places
    ]
    return told.allow_principal, rights


def printed(role: Role, settings: Settings) -> list[Right]:
    """The rights in what `vipcare topics acls ROLE` prints."""
    rights = []
    for line in acl_commands(rights_of(role, settings), f"User:{role}", "k:1"):
        principal, found = parsed(line)
        assert principal == f"User:{role}"
        rights += found
    return rights


def give(admin: AdminClient, principal: str, rights: Iterable[Right]) -> None:
    for done in admin.create_acls(
        [_binding(AclBinding, principal, one) for one in rights]
    ).values():
        done.result(timeout=10)


def take(admin: AdminClient, principal: str, rights: Iterable[Right]) -> None:
    filters = [_binding(AclBindingFilter, principal, one) for one in rights]
    for done in admin.delete_acls(filters).values():
        assert done.result(timeout=10), "there was no such right"


def until(holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


def _binding(make: Callable[..., Any], principal: str, right: Right) -> Any:
    pattern = ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL
    return make(
        _KINDS[right.kind],
        right.name,
        pattern,
        principal,
        "*",
        _OPERATIONS[right.operation],
        AclPermissionType.ALLOW,
    )
