"""What readers see, held to the oracle and to the ledger of what was sent."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.clickhouse import clickhouse_address
from agents.reading import Onward
from agents.reconciliation.reconcile import Books, Reconciler
from config.settings import Settings
from schemas.effects import Alert, decode_effect
from sinks.clickhouse.address import client_of
from sinks.clickhouse.render import Starts, count_rows, read_dead_letters, read_effects
from tests.kill.workload import Ledger

AUDITED = "every-transfer"
TIMED = ("large-deposit-maturing", "no-transfer", "birthday")
VIEW_OF = {
    "vip.tasks": "tasks",
    "vip.alerts": "alerts",
    "vip.actions": "actions",
    "vip.decisions": "decisions",
    "vip.profiles": "customers_history",
    "vip.dead-letters": "dead_letters",
}


@dataclass(slots=True)
class Verdict:
    """Topics, ClickHouse and oracle agree, and each transfer counted once, if nothing is here."""

    lost: int = 0
    doubled: int = 0
    problems: list[str] = field(default_factory=list)
    timers: int = 0
    """How many effects were made by timers."""
    events: int = 0

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.problems)


class Auditor:
    """Goes on with each verdict from where the last one ended. A new one begins at the beginning.

    What ClickHouse showed before is counted each time, and read again by a new one only.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._settings = settings
        self._ledger = ledger
        self._reconciler = Reconciler(settings)
        self._alerts = Onward(settings.kafka)
        self._told: Counter[str] = Counter()

    def verdict(self) -> Verdict:
        """Worker and sink must be through."""
        with client_of(clickhouse_address(self._settings.clickhouse)) as client:
            starts = self._starts()
            found = self._reconciler.go_on(
                read_effects(client, starts), read_dead_letters(client, starts)
            )
            rows = count_rows(client)
        verdict = Verdict(problems=found.differences.told(), events=found.tally.events)
        firings = found.books.firings()
        verdict.timers = sum(firings[name] for name in TIMED)
        _every_row(found.books, rows, verdict)
        self._every_transfer_once(verdict)
        sent, stored = self._ledger.sent, self._ledger.stored
        if verdict.events != sent:
            verdict.problems.append(f"{sent} messages sent, {verdict.events} in the journal")
        if rows["events"] != stored:
            verdict.problems.append(f"ClickHouse shows {rows['events']} events, {stored} were sent")
        _no_row_twice(self._settings, verdict)
        return verdict

    def _starts(self) -> Starts:
        numbers, onward = range(self._settings.topics.partitions), self._reconciler.onward
        return {topic: [onward.next(topic, number) for number in numbers] for topic in VIEW_OF}

    def _every_transfer_once(self, verdict: Verdict) -> None:
        told, transfers = self._told, self._ledger.transfers
        for found in self._alerts.topic("vip.alerts"):
            effect = decode_effect(found.value or b"")
            if isinstance(effect, Alert) and effect.data.rule.id == AUDITED:
                told[effect.data.cause.id] += 1
        lost = transfers - told.keys()
        verdict.lost = len(lost)
        verdict.doubled = sum(times - 1 for times in told.values())
        if foreign := told.keys() - transfers:
            verdict.problems.append(f"{len(foreign)} alerts of what was not sent: {min(foreign)}")
        if lost:
            verdict.problems.append(f"lost, for example {min(lost)}")


def _every_row(books: Books, rows: Mapping[str, int], verdict: Verdict) -> None:
    """Also those that were compared before."""
    for topic, view in VIEW_OF.items():
        if rows[view] != books.counts[topic]:
            verdict.problems.append(
                f"ClickHouse shows {rows[view]} {view}, {topic} has {books.counts[topic]}"
            )


def _no_row_twice(settings: Settings, verdict: Verdict) -> None:
    """A message that the sink inserted twice is one row to a reader."""
    query = "SELECT count() - uniqExact(topic, partition, offset) FROM events"
    with client_of(clickhouse_address(settings.clickhouse)) as client:
        ((twice,),) = client.execute(query)
    verdict.doubled += twice
