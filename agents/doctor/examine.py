"""Ask every question, each within a time, side by side where none waits for another."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from clickhouse_driver.errors import Error
from confluent_kafka import KafkaException

from agents.doctor.finding import Check, Examined, Finding, Verdict, fail, warn
from sinks.clickhouse.errors import explain


@dataclass(slots=True)
class Report:
    """Check → what it found, in their order; `skipped`: which were not asked, and what is first;
    `late`: whose thread still waits for an answer."""

    findings: dict[str, list[Finding]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)

    def worst(self, check: str) -> Verdict:
        verdicts = [finding.verdict for finding in self.findings.get(check, [])]
        order = (Verdict.FAIL, Verdict.WARN)
        return next((verdict for verdict in order if verdict in verdicts), Verdict.OK)

    @property
    def well(self) -> bool:
        """Whether nothing fails."""
        return all(self.worst(check) is not Verdict.FAIL for check in self.findings)


def examine(checks: Sequence[Check], examined: Examined, limit_s: float) -> Report:
    """Never takes longer than `limit_s` for a round; there are as many as checks in a chain."""
    found: dict[str, list[Finding]] = {}
    report = Report()
    waiting = [check for check in checks if check.roles & examined.roles]
    while waiting:
        names = {check.name for check in waiting}
        ready = [check for check in waiting if check.after not in names]
        waiting = [check for check in waiting if check.after in names]
        report.findings = found
        for check in ready:
            if check.after in report.skipped or report.worst(check.after) is Verdict.FAIL:
                report.skipped[check.name] = check.after
        asked = [one for one in ready if one.name not in report.skipped]
        answers = _round(asked, examined, limit_s)
        report.late |= {check.name for check in asked} - answers.keys()
        found |= {check.name: answers.get(check.name, [_late(limit_s)]) for check in asked}
    report.findings = {check.name: found[check.name] for check in checks if check.name in found}
    return report


def _round(checks: Sequence[Check], examined: Examined, limit_s: float) -> dict[str, list[Finding]]:
    """What came back in time; any other check is left behind on its thread."""
    found: dict[str, list[Finding]] = {}

    def ask(check: Check) -> None:
        found[check.name] = _ask(check, examined)

    threads = [threading.Thread(target=ask, args=(check,), daemon=True) for check in checks]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + limit_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(found)


def _late(limit_s: float) -> Finding:
    return fail(
        f"no answer in {limit_s:g} s",
        "see whether something on the way drops what is sent (a firewall), or ask with --limit 60s",
    )


def _ask(check: Check, examined: Examined) -> list[Finding]:
    try:
        return list(check.look(examined))
    except KafkaException as error:
        told = error.args[0].str()
        return [warn(f"Kafka does not tell: {told}", "see Kafka's log, and this user's rights")]
    except TimeoutError:
        return [warn("Kafka does not answer in time", "see its load and its log, and ask again")]
    except (Error, EOFError) as error:
        return [fail(f"ClickHouse: {explain(error)}", "see ClickHouse's log")]
    except Exception as error:  # the other checks go on
        what = f"it could not be looked at ({type(error).__name__}: {error})"
        return [fail(what, "this is a fault of vipcare's: please report it")]
