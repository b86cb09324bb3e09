"""`vipcare doctor`: what is wrong with a setup, and what to do."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Literal

import click

from agents.cli.params import DURATION
from agents.doctor.checks import CHECKS, TRIAL
from agents.doctor.examine import Report, examine
from agents.doctor.finding import Examined, Finding, Verdict
from agents.rights import ROLES, Role
from config.load import load_settings

_MARKS = {Verdict.OK: ("✓", "green"), Verdict.WARN: ("!", "yellow"), Verdict.FAIL: ("✗", "red")}
_WIDTH = max(len(check.name) for check in CHECKS)


@click.command()
@click.option(
    "--role",
    type=click.Choice([*ROLES, "all"]),
    default="all",
    show_default=True,
    help="Look with the eyes of one of them: what it needs, and no more.",
)
@click.option(
    "--try",
    "tries",
    is_flag=True,
    help="Write, too: a topic for a moment, for transactions and Kafka's clock.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option(
    "--limit",
    "limit_s",
    type=DURATION,
    default="20s",
    show_default=True,
    help="The longest that a check may take.",
)
def doctor(role: Role | Literal["all"], tries: bool, as_json: bool, limit_s: float) -> int:
    """Look at a setup: Kafka, topics, rights, limits, ClickHouse, clocks, disks, rules.

    Says what is wrong and what to do. It reads only. Run it where a role runs, with that role's
    settings and --role: on a Kafka with ACLs, nobody has the rights of all. Exit status 0 if it
    can run (there may be warnings), 1 if not.

    With --try it makes a topic of its own, sends two messages in transactions, and deletes it: this
    shows whether transactions are kept and allowed, and Kafka's clock.
    """
    roles: frozenset[Role] = frozenset(ROLES if role == "all" else (role,))
    checks = (*CHECKS, TRIAL) if tries else CHECKS
    report = examine(checks, Examined(load_settings(), roles), limit_s)
    click.echo(_as_json(report, role) if as_json else "\n".join(_lines(report)))
    status = 0 if report.well else 1
    if report.late:  # a client's call that comes back while Python ends would abort the process
        sys.stdout.flush()
        os._exit(status)
    return status


def _lines(report: Report) -> Iterator[str]:
    for check, findings in report.findings.items():
        for finding in findings:
            yield from _line(check, finding)
    for check, after in report.skipped.items():
        yield click.style(f"- {check:<{_WIDTH}}  not looked at: {after} comes first", dim=True)
    counts = {
        verdict: sum(one.verdict is verdict for found in report.findings.values() for one in found)
        for verdict in Verdict
    }
    failing, warning = counts[Verdict.FAIL], counts[Verdict.WARN]
    yield f"\n{failing} wrong, {warning} to think about, {counts[Verdict.OK]} fine"


def _line(check: str, finding: Finding) -> Iterator[str]:
    mark, colour = _MARKS[finding.verdict]
    yield f"{click.style(mark, colour)} {check:<{_WIDTH}}  {finding.what}"
    if finding.advice:
        yield click.style(f"  {'':<{_WIDTH}}  → {finding.advice}", dim=True)


def _as_json(report: Report, role: str) -> str:
    told = {
        "well": report.well,
        "role": role,
        "findings": [
            {
                "check": check,
                "verdict": finding.verdict.value,
                "what": finding.what,
                "advice": finding.advice,
            }
            for check, findings in report.findings.items()
            for finding in findings
        ],
        "not_looked_at": report.skipped,
    }
    return json.dumps(told, indent=2, ensure_ascii=False)
