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
from agents.lane.topic_facts import REMOVALS
from agents.librdkafka import MAX_MESSAGE_BYTES
from agents.rights import topics_of
from agents.topics import FIXED, Topic, all_topics, wrong_count
from config.settings import Settings
from streams.durations import DAY_MS

_TOLD = 4
_REPLACED = "min.compaction.lag.ms"


class Seen(NamedTuple):
    """A topic as it should be, and as it is."""

    topic: Topic
    is_so: TopicMetadata
    configuration: Configuration
    settings: Settings

    @property
    def alter(self) -> str:
        """The beginning of Kafka's own command that changes its configuration."""
        bootstrap = self.settings.kafka.bootstrap
        return f"kafka-configs.sh --bootstrap-server {bootstrap} --alter --topic {self.topic.name}"


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
    problems += _partitions(there, cluster.topics, settings)
    problems += _spread(len(cluster.brokers), settings)
    yield from problems
    if not problems:
        yield ok(f"{len(there)} topics, {settings.topics.partitions} partitions by customer")


def _missing(names: list[str]) -> Iterator[Finding]:
    if names:
        yield fail(
            f"missing, or this user may not see them: {_first(names)}",
            "make them with `vipcare topics create`, or give the right Describe",
        )


def _first(names: list[str]) -> str:
    more = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (f" and {more} more" if more > 0 else "")


def _problems(seen: Seen) -> Iterator[Finding]:
    yield from _copies(seen)
    yield from _kept(seen)
    yield from _compacted(seen)
    yield from _written(seen)


def _partitions(
    topics: list[Topic], there: Mapping[str, TopicMetadata], settings: Settings
) -> Iterator[Finding]:
    """Those of one wrong number are one finding: most often all of them are."""
    wrong: dict[tuple[int, int], list[Topic]] = {}
    for topic in topics:
        count, wanted = len(there[topic.name].partitions), topic.partitions(settings)
        if count != wanted:
            wrong.setdefault((count, wanted), []).append(topic)
    keyed = sum(topic.keyed for topic in topics)
    for (count, wanted), some in wrong.items():
        names = [topic.name for topic in some]
        if not some[0].keyed:
            advice = _anew(1)
        elif len(some) == keyed:
            advice = f"set VIPCARE_TOPICS__PARTITIONS={count}, for every part of the deployment"
        else:
            advice = f"set VIPCARE_TOPICS__PARTITIONS to what most topics have, or {_anew(wanted)}"
        why = FIXED if some[0].keyed else "it is global"
        if len(names) == 1:
            yield fail(wrong_count(names[0], count, wanted, why), advice)
        else:
            what = f"{len(names)} topics have {count} partitions, not {wanted}: {_first(names)}"
            yield fail(f"{what}; {why}", advice)


def _anew(partitions: int) -> str:
    return (
        f"delete it and make it anew with {partitions} (`vipcare topics create`): what it holds is "
        "lost then, so see first that it is read and kept elsewhere"
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
            f"{seen.alter} --add-config cleanup.policy={wanted}",
        )
    least = int(seen.topic.configuration(seen.settings)["retention.ms"])
    kept = int(told.get("retention.ms", least))
    if wanted == "delete" and kept >= 0 and (least < 0 or kept < least):
        yield warn(
            f"topic {name} keeps messages for {_duration(kept)}, not for {_duration(least)}",
            f"{seen.alter} --add-config retention.ms={least}",
        )
    if int(told.get("retention.bytes", -1)) >= 0 and wanted == "delete":
        yield warn(
            f"topic {name} throws messages away, read or not, above "
            f"{int(told['retention.bytes']):,} bytes",
            f"{seen.alter} --delete-config retention.bytes",
        )


def _compacted(seen: Seen) -> Iterator[Finding]:
    """How soon compaction forgets."""
    if seen.topic.cleanup != "compact":
        return
    name, told = seen.topic.name, seen.configuration
    removals = int(told.get(REMOVALS, DAY_MS))
    if removals < DAY_MS:
        yield warn(
            f"topic {name} keeps removals for {_duration(removals)}, not for {_duration(DAY_MS)}: "
            "who reads it, or has a copy that is older than half of that, may miss one",
            f"{seen.alter} --delete-config {REMOVALS}",
        )
    least = int(seen.topic.configuration(seen.settings).get(_REPLACED, 0))
    replaced = int(told.get(_REPLACED, least))
    if replaced < least:
        yield warn(
            f"topic {name} keeps what was replaced for {_duration(replaced)}, not for "
            f"{_duration(least)}: the journal names it for as long",
            f"{seen.alter} --add-config {_REPLACED}={least}",
        )


def _duration(millis: int) -> str:
    """`30 days`, `1 hour`; below 0, `ever`."""
    if millis < 0:
        return "ever"
    for length, unit in (
        (DAY_MS, "day"),
        (3_600_000, "hour"),
        (60_000, "minute"),
        (1_000, "second"),
    ):
        if millis >= length:
            count = f"{millis / length:.3g}"
            return f"{count} {unit}{'s' * (count != '1')}"
    return f"{millis} ms"


def _written(seen: Seen) -> Iterator[Finding]:
    """What a write takes and what it promises."""
    name, told = seen.topic.name, seen.configuration
    wanted, copies = seen.settings.topics.min_insync, seen.settings.topics.replication
    insync = int(told.get("min.insync.replicas", wanted))
    if insync < wanted:
        yield fail(
            f"topic {name} is content with {insync} copies in sync, not {wanted}",
            f"{seen.alter} --add-config min.insync.replicas={wanted}",
        )
    elif insync >= copies > 1:
        yield warn(
            f"topic {name} wants all {copies} copies in sync: one broker away stops it",
            f"{seen.alter} --add-config min.insync.replicas={copies - 1}",
        )
    largest = int(told.get("max.message.bytes", MAX_MESSAGE_BYTES))
    if largest < MAX_MESSAGE_BYTES:
        yield fail(
            f"topic {name} takes messages of {largest:,} bytes at most, not {MAX_MESSAGE_BYTES:,}",
            f"{seen.alter} --add-config max.message.bytes=1048588",
        )
    if told.get("unclean.leader.election.enable") == "true":
        yield warn(
            f"topic {name} may choose a leader that lacks messages",
            f"{seen.alter} --add-config unclean.leader.election.enable=false",
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
