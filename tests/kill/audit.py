"""What readers see, held to the oracle and to the ledger of what was sent."""

from collections import Counter
from dataclasses import dataclass, field

from agents.clickhouse import clickhouse_address
from agents.reading import read_topic
from agents.reconciliation.report import make_report
from config.settings import Settings
from schemas.effects import Alert, decode_effect
from sinks.clickhouse.address import client_of
from tests.kill.workload import Ledger

AUDITED = "every-transfer"
TIMED = "large-deposit-maturing"


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


def audit(settings: Settings, ledger: Ledger) -> Verdict:
    """Everything from its beginning; worker and sink must be through."""
    report = make_report(settings, 0, 1_000)
    verdict = Verdict(problems=list(report["differences"]), events=report["events"])
    verdict.timers = report["by_rule"].get(TIMED, 0)
    _every_transfer_once(settings, ledger, verdict)
    if report["events"] != ledger.sent:
        verdict.problems.append(f"{ledger.sent} messages sent, {report['events']} in the journal")
    rows = report["rows"].get("events", -1)
    if rows != ledger.stored:
        verdict.problems.append(f"ClickHouse shows {rows} events, {ledger.stored} were sent")
    _no_row_twice(settings, verdict)
    return verdict


def _every_transfer_once(settings: Settings, ledger: Ledger, verdict: Verdict) -> None:
    told: Counter[str] = Counter()
    for found in read_topic(settings.kafka, "vip.alerts"):
        effect = decode_effect(found.value or b"")
        if isinstance(effect, Alert) and effect.data.rule.id == AUDITED:
            told[effect.data.cause.id] += 1
    lost = ledger.transfers - told.keys()
    verdict.lost = len(lost)
    verdict.doubled = sum(times - 1 for times in told.values())
    if foreign := told.keys() - ledger.transfers:
        verdict.problems.append(f"{len(foreign)} alerts of what was not sent: {min(foreign)}")
    if lost:
        verdict.problems.append(f"lost, for example {min(lost)}")


def _no_row_twice(settings: Settings, verdict: Verdict) -> None:
    """A message that the sink inserted twice is one row to a reader."""
    query = "SELECT count() - uniqExact(topic, partition, offset) FROM events"
    with client_of(clickhouse_address(settings.clickhouse)) as client:
        ((twice,),) = client.execute(query)
    verdict.doubled += twice
