"""Are the topics there, and shaped so that nothing is lost?"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from confluent_kafka.admin import TopicMetadata  # type: ignore[attr-defined]  # public

from agents.doctor.cluster import (
    Configuration,
    NotTold,
    admin_of,
    metadata,
    topic_configurations,
)
from agents.doctor.finding import Examined, Finding, fail, ok, warn
from agents.kafka import MAX_MESSAGE_BYTES
from agents.rights import topics_of
from agents.topics import FIXED, Topic, all_topics, wrong_count
from config.settings import Settings
from streams.durations import DAY_MS

_TOLD = 4
_ALTER = "kafka-configs --alter --topic"


class Seen(NamedTuple):
    """A topic as it should be, and as it is."""

    topic: Topic
    is_so: TopicMetadata
    configuration: Configuration
    settings: Settings


def topics(examined: Examined) -> Iterator[Finding]:
    """Those of the roles: present, partitions, copies, configuration; a line for each problem."""
    settings = examined.settings
    admin = admin_of(settings)
    cluster = metadata(admin)
    used = {name for role in examined.roles for name in topics_of(role, settings)}
    wanted = [topic for topic in all_topics(settings) if topic.name in used]
    there = [topic for topic in wanted if topic.name in cluster.topics]
    problems = list(_missing([topic.name for topic in wanted if topic not in there]))
    configurations: Mapping[str, Configuration] = {}
    try:
        configurations = topic_configurations(admin, [topic.name for topic in there])
    except NotTold as reason:
        advice = "retention, cleanup and replicas in sync were not compared"
        problems.append(warn(f"the topics do not tell their configuration: {reason}", advice))
    for topic in there:
        is_so, told = cluster.topics[topic.name], configurations.get(topic.name, {})
        problems += _problems(Seen(topic, is_so, told, settings))
    problems += _spread(len(cluster.brokers), settings)
    yield from problems
    if not problems:
        yield ok(f"{len(there)} topics, {settings.topics.partitions} partitions by customer")


def _missing(names: list[str]) -> Iterator[Finding]:
    if names:
        told = ", ".join(names[:_TOLD]) + f" and {len(names) - _TOLD} more" * (len(names) > _TOLD)
        yield fail(
            f"missing, or this user may not see them: {told}",
            "make them with `vipcare topics create`, or give the right Describe",
        )


def _problems(seen: Seen) -> Iterator[Finding]:
    yield from _partitions(seen)
    yield from _copies(seen)
    yield from _kept(seen)
    yield from _written(seen)


def _partitions(seen: Seen) -> Iterator[Finding]:
    count, wanted = len(seen.is_so.partitions), seen.topic.partitions(seen.settings)
    if count != wanted:
        yield fail(
            wrong_count(
                seen.topic.name, count, wanted, FIXED if seen.topic.keyed else "it is global"
            ),
            "set VIPCARE_TOPICS__PARTITIONS to what the topics have, or make this one anew",
        )


def _copies(seen: Seen) -> Iterator[Finding]:
    name, partitions = seen.topic.name, seen.is_so.partitions
    dark = [number for number, one in partitions.items() if one.leader < 0]
    if dark:
        yield fail(
            f"topic {name}: partition {dark[0]} has no leader ({len(dark)} in all)",
            "start the brokers that hold it; it can be neither read nor written",
        )
    behind = [number for number, one in partitions.items() if len(one.isrs) < len(one.replicas)]
    if behind and not dark:
        yield warn(
            f"topic {name}: a copy of partition {behind[0]} is not in sync ({len(behind)} in all)",
            "see whether a broker is down or slow",
        )
    fewest = min((len(one.replicas) for one in partitions.values()), default=0)
    if fewest < seen.settings.topics.replication:
        yield fail(
            f"topic {name} has {fewest} cop{'y' if fewest == 1 else 'ies'}, not "
            f"{seen.settings.topics.replication} (topics.replication)",
            "add copies with kafka-reassign-partitions",
        )


def _kept(seen: Seen) -> Iterator[Finding]:
    """What Kafka throws away."""
    name, told, wanted = seen.topic.name, seen.configuration, seen.topic.cleanup
    cleanup = told.get("cleanup.policy", wanted)
    if cleanup != wanted:
        loses = (
            "it loses what is old" if wanted == "compact" else "it loses all but the last of a key"
        )
        yield fail(
            f"topic {name} has cleanup.policy={cleanup}, not {wanted}: {loses}",
            f"{_ALTER} {name} --add-config cleanup.policy={wanted}",
        )
    least = int(seen.topic.configuration(seen.settings)["retention.ms"])
    kept = int(told.get("retention.ms", least))
    if wanted == "delete" and kept >= 0 and (least < 0 or kept < least):
        days = "for ever" if least < 0 else f"{least // DAY_MS} days"
        yield warn(
            f"topic {name} keeps messages for {kept / DAY_MS:g} days, not {days}",
            f"{_ALTER} {name} --add-config retention.ms={least}",
        )
    if int(told.get("retention.bytes", -1)) >= 0 and wanted == "delete":
        yield warn(
            f"topic {name} throws messages away above {int(told['retention.bytes']):,} bytes",
            f"{_ALTER} {name} --delete-config retention.bytes: read or not, they would be gone",
        )


def _written(seen: Seen) -> Iterator[Finding]:
    """What a write takes and what it promises."""
    name, told = seen.topic.name, seen.configuration
    wanted, copies = seen.settings.topics.min_insync, seen.settings.topics.replication
    insync = int(told.get("min.insync.replicas", wanted))
    if insync < wanted:
        yield fail(
            f"topic {name} is content with {insync} copies in sync, not {wanted}",
            f"{_ALTER} {name} --add-config min.insync.replicas={wanted}",
        )
    elif insync >= copies > 1:
        yield warn(
            f"topic {name} wants all {copies} copies in sync: one broker away stops it",
            f"{_ALTER} {name} --add-config min.insync.replicas={copies - 1}",
        )
    largest = int(told.get("max.message.bytes", MAX_MESSAGE_BYTES))
    if largest < MAX_MESSAGE_BYTES:
        yield fail(
            f"topic {name} takes messages of {largest:,} bytes at most, not {MAX_MESSAGE_BYTES:,}",
            f"{_ALTER} {name} --add-config max.message.bytes=1048588",
        )
    if told.get("unclean.leader.election.enable") == "true":
        yield warn(
            f"topic {name} may choose a leader that lacks messages",
            f"{_ALTER} {name} --add-config unclean.leader.election.enable=false",
        )


def _spread(brokers: int, settings: Settings) -> Iterator[Finding]:
    copies, insync = settings.topics.replication, settings.topics.min_insync
    if copies > brokers:
        yield fail(
            f"topics.replication is {copies}, and there are {brokers} brokers",
            "start the others, or lower VIPCARE_TOPICS__REPLICATION",
        )
    elif brokers >= 3 and (copies < 3 or insync < 2):
        yield warn(
            f"{brokers} brokers, but topics.replication is {copies} and min_insync {insync}",
            "with 3 and 2 nothing is lost when a broker's disk is",
        )
