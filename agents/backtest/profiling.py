"""What each rule costs, over archived events or those of a simulated bank."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from time import thread_time_ns

from agents.backtest.archived import Archived, ArchiveError
from agents.backtest.spill import event_time
from agents.bank.facts import facts
from agents.bank.plan import plan_of
from agents.bank.simulation import messages
from agents.clock import setting_millis
from config.settings import Settings
from schemas.events.reference import GLOBAL_TOPICS
from schemas.rules import RuleDefinition
from streams.backtest.cost import Cost, cost_of
from streams.backtest.facts import FactsInTime
from streams.backtest.play import in_order
from streams.context import CoreSettings
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.partitioning import partition_of

_ORIGIN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
_BANK = {"customers": 200, "history_days": 90}


def simulated(settings: Settings) -> Iterator[Archived]:
    """The history of a small simulated bank, and the beginning of its day, without end. Raises
    PlanError."""
    settings = settings.model_copy(update={"bank": settings.bank.model_copy(update=_BANK)})
    plan = plan_of(settings, setting_millis(settings.clock.origin or _ORIGIN))
    for number, one in enumerate(chain(facts(plan), messages(plan))):
        yield Archived(one.topic, number, one.key, one.value, sent=one.at)


class Sample:
    """Decoded events in memory, by customer."""

    def __init__(self, archive: Iterable[Archived], core: CoreSettings, most: int) -> None:
        """The first `most` messages of an archive. Raises ArchiveError."""
        self.core = core
        self.messages = 0
        told: list[tuple[int, Raw]] = []
        found: dict[str, list[Entry]] = {}
        for one in islice(archive, most):
            self.messages += 1
            if one.topic in GLOBAL_TOPICS:
                at = event_time(one.value)
                raw = Raw(one.topic, 0, one.offset, one.key, one.value)
                told.append((max(one.sent, 0) if at is None else at, raw))
            else:
                entry = read(one.raw(partition_of(one.key, core.partitions)), core)
                found.setdefault(one.key.decode(errors="replace"), []).append(entry)
        if not any(entry.input for entries in found.values() for entry in entries):
            raise ArchiveError(f"there is no event among the archive's first {most:,} messages")
        self.facts = FactsInTime(told)
        self.customers = {name: in_order(entries) for name, entries in found.items()}

    def cost(self, rule: RuleDefinition) -> Cost:
        return cost_of(rule, self.customers, self.core, self.facts, thread_time_ns)
