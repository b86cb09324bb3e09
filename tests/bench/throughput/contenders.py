"""Who takes part, with what guarantee, tuned how."""

from pathlib import Path
from typing import NamedTuple

PEER_PYTHON = Path(".venv/bench/bin/python")
"""Has Quix Streams and Bytewax; `make bench` sets it up."""


class Contender(NamedTuple):
    name: str
    title: str
    guarantee: str
    """What it promises when its process is killed."""
    tuning: str
    workloads: tuple[str, ...] = ("tiny", "bank", "library")
    module: str = ""
    """Of tests.bench.peers; empty is our worker."""
    option: str = "exactly-once"
    """The guarantee as the module knows it."""
    package: str = ""
    """What must be importable in the peers' virtual environment."""
    changelog: str = "{app}-changelog"
    """The topic's name; empty: it has none."""
    commits_offsets: bool = True
    """To Kafka, in every run; else it counts its work itself."""
    commit_s: float = 1.0
    """Between commits, of one that commits by time."""


OURS = Contender(
    "ours",
    "vipcare worker",
    "exactly once: a transaction a chunk and partition; duplicates dropped",
    "the defaults; at bank a cache for 10% of the records",
    changelog="{app}-customers-changelog",
)

WITHOUT_TRANSACTIONS = "a kill may count an event twice: this broker has no transactions"
"""Our guarantee on the embedded broker."""

CONTENDERS = (
    OURS,
    Contender(
        "quix",
        "Quix Streams",
        "exactly once: a transaction a checkpoint",
        "a checkpoint each 5 s, its default: at 1 s it does a third less; alerts come as late. "
        "Prefetch without back-off, linger 20 ms, values as bytes",
        module="quix",
        package="quixstreams",
        commit_s=5.0,
        changelog="changelog__{app}--{topics}--default",
    ),
    Contender(
        "quix_at_least_once",
        "Quix Streams",
        "at least once: offsets after the changelog",
        "the same",
        workloads=("tiny",),
        module="quix",
        option="at-least-once",
        package="quixstreams",
        commit_s=5.0,
        changelog="changelog__{app}--{topics}--default",
    ),
    Contender(
        "bytewax",
        "Bytewax",
        "at least once: snapshots on the local disk alone, no changelog",
        "an epoch a second (10 s, its default, is no faster), batches of 5,000, no back-off",
        workloads=("tiny",),
        module="bytewax_tiny",
        option="at-least-once",
        package="bytewax",
        changelog="",
        commits_offsets=False,
    ),
    Contender(
        "bare",
        "bare loop",
        "exactly once: a transaction a batch; one process, nothing else",
        "batches of 10,000 over all partitions (2,000 and 5,000 are slower, 20,000 alike); "
        "at bank a cache for 10% of the records",
        module="bare",
    ),
    Contender(
        "faust",
        "stock Faust",
        "at least once: an alert twice and a sum too great after a kill",
        "uvloop, its Cython parts, offsets each 2.8 s, its default, linger 20 ms, values as bytes",
        module="faust_stock",
        commits_offsets=False,
        commit_s=2.8,
        option="at-least-once",
        changelog="{app}-customers-changelog",
    ),
)
