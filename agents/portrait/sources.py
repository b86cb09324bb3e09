"""Where a customer's record is read: the worker's local copy, or the changelog."""

import struct
from collections.abc import Mapping
from typing import NamedTuple

from agents.clock import real_millis
from agents.lane.copy_reader import CopyError, copy_folder, look
from agents.lane.store import Mark
from agents.reading import ReadingError, partitions_of, read_partition
from agents.topics import changelog
from config.settings import Settings
from schemas.position import REACH_KEY, Since, decode_reach
from schemas.record import Record
from streams.partitioning import partition_of

OLD_MS = 60_000
"""A copy that was written this long ago may be whole, if nothing happened since: Kafka knows."""


class SourceError(Exception):
    """The record cannot be read there; what to do is in it."""


class UnknownCustomerError(Exception):
    """There is no such customer; what to do is in it."""


class Sourced(NamedTuple):
    record: Record
    source: str
    """Where it was read, for people."""
    warning: str = ""
    """Why it may not be the latest."""
    reach: Mapping[str, Since] | None = None
    """How far back the windows of its partition reach; None: that is not told."""


def has_copy(settings: Settings, customer: str) -> bool:
    """Whether this machine has the copy that the customer would be in."""
    return copy_folder(settings.worker.data, _partition(settings, customer)) is not None


def from_store(settings: Settings, customer: str) -> Sourced:
    """Out of the copy that a worker of this machine has, while it runs. Raises SourceError and
    UnknownCustomerError."""
    partition, data = _partition(settings, customer), settings.worker.data
    folder = copy_folder(data, partition)
    if folder is None:
        raise SourceError(
            f"there is no copy of partition {partition} in {data}: name the folder of a worker "
            "that has it with VIPCARE_WORKER__DATA, or read the changelog with --from kafka"
        )
    try:
        found = look(folder, partition, customer.encode())
    except CopyError as error:
        raise SourceError(f"{error}: --from kafka reads the changelog instead") from error
    warning = _lacking(settings, partition, found.mark)
    if found.value is None:
        raise UnknownCustomerError(_unknown(customer, f"the copy in {folder}", warning))
    sourced = _sourced(customer, found.value, f"the worker's store, {folder}", warning)
    return sourced._replace(reach=near_reach(settings, customer))


def near_reach(settings: Settings, customer: str) -> Mapping[str, Since] | None:
    """How far back the windows of a customer's partition reach, as a copy on this machine tells it;
    None where none does."""
    partition = _partition(settings, customer)
    folder = copy_folder(settings.worker.data, partition)
    if folder is None:
        return None
    try:
        packed = look(folder, partition, REACH_KEY).value
    except CopyError:
        return None
    return None if packed is None else decode_reach(packed)


def _lacking(settings: Settings, partition: int, mark: Mark | None) -> str:
    """Why a copy may not be the latest: a worker that idles writes nothing, as one that is gone."""
    if mark is None:
        return "this copy does not say how far it goes: --from kafka is up to date"
    age = real_millis() - mark.as_of
    if age <= OLD_MS:
        return ""
    topic = changelog(settings.worker.app)
    since = f"this copy was written {age // 1_000:,} s ago"
    try:
        partitions_of(settings.kafka, topic)
        beyond = read_partition(settings.kafka, topic, partition, mark.offset + 1)
        newer = next(beyond, None)
    except ReadingError as error:
        return f"{since}, and whether it lacks anything cannot be told: {error}"
    if newer is None:
        return ""
    return f"{since} and lacks what came since: does its worker run? --from kafka is up to date"


def from_kafka(settings: Settings, customer: str) -> Sourced:
    """The last committed record in the changelog: reads one partition from its beginning.

    Raises SourceError and UnknownCustomerError.
    """
    topic, partition, key = (
        changelog(settings.worker.app),
        _partition(settings, customer),
        customer.encode(),
    )
    value: bytes | None = None
    reach: bytes | None = None
    try:
        if (there := partitions_of(settings.kafka, topic)) != settings.topics.partitions:
            raise SourceError(
                f"{topic} has {there} partitions, topics.partitions is "
                f"{settings.topics.partitions}: set VIPCARE_TOPICS__PARTITIONS to {there}"
            )
        for found in read_partition(settings.kafka, topic, partition):
            if found.key == key:
                value = found.value
            elif found.key == REACH_KEY:
                reach = found.value
    except ReadingError as error:
        raise SourceError(str(error)) from error
    where = f"{topic}[{partition}]"
    if value is None:
        raise UnknownCustomerError(_unknown(customer, where))
    sourced = _sourced(customer, value, f"the changelog, {where}")
    return sourced._replace(reach=None if reach is None else decode_reach(reach))


def _sourced(customer: str, stored: bytes, source: str, warning: str = "") -> Sourced:
    try:
        record = Record(customer, stored)
        _ = record.profile, record.activity
    except (ValueError, struct.error) as error:  # msgspec's errors are ValueErrors
        raise SourceError(
            f"the record of {customer!r} in {source} cannot be read: {error}. "
            "Is this vipcare of the same version as the worker?"
        ) from error
    return Sourced(record, source, warning)


def _partition(settings: Settings, customer: str) -> int:
    return partition_of(customer.encode(), settings.topics.partitions)


def _unknown(customer: str, where: str, warning: str = "") -> str:
    told = f"customer {customer!r} is not in {where}: is the id right? A customer is there as soon "
    told += "as a worker has applied an event; `vipcare dead-letters list` shows what was refused"
    return f"{told}\n{warning}" if warning else told
