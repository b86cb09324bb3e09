"""What the runners of a worker are wired to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError
from faust.types import TP

from agents.clock import BankClock
from agents.lane.cache import RecordCache
from agents.lane.offsets import Offsets
from agents.lane.report import Report
from config.settings import WorkerSettings
from streams.context import CoreSettings
from streams.facts import Facts
from streams.refusals import Limit
from streams.rules.register import InForce


@dataclass(frozen=True, slots=True)
class Wiring:
    """What all runners of a worker share."""

    topics: Sequence[str]
    changelog: str
    settings: WorkerSettings
    core: CoreSettings
    clock: BankClock
    rules: Callable[[], InForce]
    """The rules of the moment: what one call gives serves a chunk."""
    facts: Callable[[], Facts]
    """The reference data and organisation of the moment: one snapshot serves a chunk."""
    cache: RecordCache
    limit: Limit
    offsets: Offsets
    report: Report
    behind: Callable[[TP, int], bool]
    """Whether Kafka has more of an input partition than was taken, up to an offset; true if
    unknown."""
    caught_up: Callable[[TP, int], int | None]
    """When a fetch last reached an input partition's end and was taken whole, up to an offset;
    real milliseconds, None if unknown."""
    explain: Callable[[KafkaError], str] = KafkaError.str
    """What a refusal of Kafka's means, in one line."""
