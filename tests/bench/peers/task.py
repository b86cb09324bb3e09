"""What a peer is told: where Kafka is, what to read, under which name to work."""

import sys

import msgspec
from msgspec import Struct

ALERTS = "vip.alerts"


class Task(Struct, kw_only=True):
    workload: str
    """`tiny`, `bank` or `library`."""
    bootstrap: str
    app: str
    """Names group, changelog and transactions; of this run alone."""
    topics: list[str]
    """The inputs, all of the same number of partitions."""
    partitions: int
    folder: str
    """For the local store; of this run alone."""
    guarantee: str = "exactly-once"
    rules: str = ""
    """Definitions of rules and attributes as JSON, of the workload `bank`."""
    batch: int = 10_000
    """Messages in a batch, of a peer that takes batches."""
    commit_s: float = 1.0
    """Seconds between commits, of a peer that commits by time."""
    cached_records: int = 0
    """How many decoded records a peer that keeps some may keep."""


def told() -> Task:
    """The task in this process's first argument."""
    return msgspec.json.decode(sys.argv[1], type=Task)


def encode(task: Task) -> str:
    return msgspec.json.encode(task).decode()
