"""Who may do what in Kafka: the one table of the rights that each part needs, and no more.

A right is one of Kafka's ACLs. Where a part reads or writes a topic, Kafka lets it describe it too.
"""

import shlex
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Literal, NamedTuple

from agents.topics import all_topics, changelog
from config.settings import Settings
from schemas.audit import AUDIT_TOPIC
from schemas.effects import EFFECT_TOPICS
from schemas.events import INPUT_TOPICS, INTERNAL
from schemas.events.reference import GLOBAL_TOPICS
from schemas.position import JOURNAL_TOPIC
from schemas.rule_register import REGISTRAR, RULES_TOPIC
from sinks.clickhouse.tables import TABLE_OF

Role = Literal["worker", "sink", "bank", "crm", "operator", "analyst"]
Operation = Literal["Read", "Write", "Describe", "DescribeConfigs", "Create"]
Kind = Literal["topic", "group", "transactional-id", "cluster"]

_LETTERS = "vip.dead-letters"
_FEEDBACK = "crm.feedback"


class Right(NamedTuple):
    operation: Operation
    kind: Kind
    name: str
    prefixed: bool = False
    """For all names that begin so."""

    def __str__(self) -> str:
        name = "" if self.kind == "cluster" else f" {self.name}{'…' * self.prefixed}"
        return f"{self.operation} on {self.kind}{name}"


def rights_of(role: Role, settings: Settings) -> tuple[Right, ...]:
    """What a role needs in a deployment, each right once."""
    return tuple(dict.fromkeys(_TABLE[role](settings)))


def _worker(settings: Settings) -> Iterator[Right]:
    app = settings.worker.app
    records, journal = changelog(app), JOURNAL_TOPIC
    yield from _topics("Read", *INPUT_TOPICS, *GLOBAL_TOPICS, RULES_TOPIC, records)
    yield from _topics("Write", records, journal, *EFFECT_TOPICS, _LETTERS, INTERNAL)
    yield from _topics("Write", RULES_TOPIC, AUDIT_TOPIC)  # a rule that raises is isolated
    # What is wrong with a topic's configuration, and how long the changelog keeps removals.
    yield from _topics("DescribeConfigs", *_used(_worker_topics(settings)))
    yield Right("Read", "group", app)
    yield _outsider("vipcare-facts")
    yield _outsider("vipcare-rules")
    yield Right("Write", "transactional-id", f"{app}-", prefixed=True)


def _worker_topics(settings: Settings) -> Iterable[str]:
    outputs = (*EFFECT_TOPICS, _LETTERS, JOURNAL_TOPIC, changelog(settings.worker.app))
    return (*INPUT_TOPICS, *GLOBAL_TOPICS, RULES_TOPIC, *outputs)


def _sink(settings: Settings) -> Iterator[Right]:
    yield from _topics("Read", *TABLE_OF)
    yield from _topics("Write", _LETTERS)  # of rows that ClickHouse does not take
    yield Right("Read", "group", settings.sink.group)
    yield _outsider("vipcare-sink-watch")


def _bank(_settings: Settings) -> Iterator[Right]:
    yield from _topics("Write", *(name for name in INPUT_TOPICS if name != INTERNAL))
    yield from _topics("Write", *GLOBAL_TOPICS)


def _crm(_settings: Settings) -> Iterator[Right]:
    yield from _topics("Read", *EFFECT_TOPICS)
    yield from _topics("Write", _FEEDBACK)
    yield Right("Read", "group", "crm", prefixed=True)


def _operator(settings: Settings) -> Iterator[Right]:
    names = [topic.name for topic in all_topics(settings)]
    yield Right("Create", "cluster", "kafka-cluster")
    yield from _topics("Describe", *names)
    yield from _topics("DescribeConfigs", *names)
    # To look at dead letters, at a customer, and at what became of a replay.
    yield from _topics("Read", _LETTERS, INTERNAL, changelog(settings.worker.app), *GLOBAL_TOPICS)
    yield from _topics("Write", INTERNAL)  # dead letters are replayed through it
    # To look at the rules and their history, and to change them.
    yield from _topics("Read", RULES_TOPIC, AUDIT_TOPIC)
    yield from _topics("Write", RULES_TOPIC, AUDIT_TOPIC)
    yield Right("Write", "transactional-id", REGISTRAR)
    yield _outsider("vipcare-reading")


def _analyst(settings: Settings) -> Iterator[Right]:
    """Whole events, with what identifies a person: so nobody has it along with something else."""
    yield from _topics("Read", *INPUT_TOPICS, *GLOBAL_TOPICS, RULES_TOPIC, JOURNAL_TOPIC)
    yield from _topics("Read", changelog(settings.worker.app))
    yield _outsider("vipcare-reading")


_TABLE: dict[Role, Callable[[Settings], Iterator[Right]]] = {
    "worker": _worker,
    "sink": _sink,
    "bank": _bank,
    "crm": _crm,
    "operator": _operator,
    "analyst": _analyst,
}
ROLES = tuple(_TABLE)


def _outsider(name: str) -> Right:
    """Of a consumer that joins no group: librdkafka asks for the coordinator of its name."""
    return Right("Describe", "group", name)


def _topics(operation: Operation, *names: str) -> Iterator[Right]:
    for name in _used(names):
        yield Right(operation, "topic", name)


def _used(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def topics_of(role: Role, settings: Settings) -> frozenset[str]:
    """The topics that a role has to do with."""
    return frozenset(one.name for one in rights_of(role, settings) if one.kind == "topic")


def acl_commands(rights: Iterable[Right], principal: str, bootstrap: str) -> Iterator[str]:
    """The rights as command lines of Kafka's own tool, one for each kind of resource and set of
    operations on it."""

    def resource(right: Right) -> tuple[Kind, str, bool]:
        return right.kind, right.name, right.prefixed

    by_resource: dict[tuple[Kind, str, bool], list[Operation]] = {}
    for right in rights:
        by_resource.setdefault(resource(right), []).append(right.operation)
    alike = sorted(by_resource.items(), key=lambda item: (item[0][0], item[0][2], sorted(item[1])))
    for (kind, prefixed, operations), group in groupby(
        alike, key=lambda item: (item[0][0], item[0][2], tuple(sorted(item[1])))
    ):
        words = ["kafka-acls.sh", "--bootstrap-server", bootstrap]
        words += ["--command-config", "admin.properties"]
        words += ["--add", "--allow-principal", principal]
        for operation in operations:
            words += ["--operation", operation]
        if prefixed:
            words += ["--resource-pattern-type", "prefixed"]
        for (_, name, _), _ in group:
            words += ["--cluster"] if kind == "cluster" else [f"--{kind}", name]
        yield shlex.join(words)
