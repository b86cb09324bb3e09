"""What a backtest found, as data and for people."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from rich.table import Table
from rich.text import Text

from agents.backtest.not_stored import not_stored
from agents.backtest.run import Result
from schemas.dead_letters import Reason
from schemas.envelope import from_millis
from schemas.rules import RuleDefinition
from streams.backtest.tally import Against, RuleTally

_RMS = 15
_REASONS = 5
_NAMED = 3
"""So many are shown; --json has more."""


def as_data(result: Result, seconds: float, *, is_stored: bool = False) -> dict[str, Any]:
    """Instants are ISO 8601 in the bank's time zone, days its calendar's. `is_stored`: the archive
    is of what the sink stored."""
    asked = result.question
    blind = not_stored(asked.rules, asked.core) if is_stored else {}
    counts = result.tally.counts
    days = asked.span.days
    live = {rule.id: rule.version for rule in asked.live}
    warm = _warm_from(result)
    return {
        "from": _instant(asked.span.start, asked.span.zone),
        "to": _instant(asked.span.end, asked.span.zone),
        "days": days,
        "archive": {
            "from": _instant(result.archive.start, asked.span.zone),
            "to": _instant(result.archive.end, asked.span.zone),
        },
        "not_covered": _not_covered(result),
        "missing": result.missing,
        "messages": result.messages,
        "events": counts["applied"],
        "seconds": round(seconds, 3),
        "messages_per_second": round(result.messages / max(seconds, 0.001)),
        "duplicates": counts["duplicates"],
        "dead_letters": _part(counts, "dead:"),
        "lost": [
            {"reason": reason, "detail": detail, "times": times}
            for (reason, detail), times in sorted(result.tally.whys.items(), key=_often)
        ],
        "unknown": _part(counts, "unknown:"),
        "rules": {
            rule.id: _rule(
                rule, result.tally.of(rule.id), counts[f"rule_failures:{rule.id}"], days, live
            )
            | {"warm_from": warm.get(rule.id), "not_stored": blind.get(rule.id, [])}
            for rule in asked.rules
            if rule.status in ("live", "shadow")
        },
        "workload": {
            rm: {
                "total": loads.total(),
                "a_day": round(loads.total() / days, 2),
                "most": max(loads.values()),
                "by_day": dict(sorted(loads.items())),
            }
            for rm, loads in sorted(
                result.tally.workload.items(), key=lambda pair: (-pair[1].total(), pair[0])
            )
        },
    }


def _not_covered(result: Result) -> list[str]:
    """Which days were asked about that the archive does not have."""
    asked, whole = result.asked, result.archive.whole_days()
    told = []
    if asked.start and asked.start < whole.start:
        told.append(f"before {whole.day(whole.start)}")
    if asked.end > whole.end:
        told.append(f"after {whole.day(whole.end - 1)}")
    return told


def _warm_from(result: Result) -> dict[str, str]:
    """Rule → from when on it looks back no further than the archive goes, unless it always does."""
    asked, since = result.question, result.archive.start
    compiled, zone = asked.core.compiled(asked.rules), asked.span.zone
    found = {}
    for rule in asked.rules:
        looks = compiled.looks_back(rule.id)
        warm_from = max((look.warm_from(since, zone) for look in looks), default=since)
        if warm_from > asked.span.start:
            found[rule.id] = _instant(warm_from, zone)
    return found


def _rule(
    rule: RuleDefinition, tally: RuleTally, failures: int, days: int, live: dict[str, int]
) -> dict[str, Any]:
    precision = tally.precision
    told = {
        "version": rule.version,
        **{name: tally.became[name] for name in ("fired", "shadow", "held_out")},
        "failures": failures,
        "customers": tally.customers,
        "a_day": round(tally.seen / days, 2),
        "most_a_day": max(tally.days.values(), default=0),
        "by_day": dict(sorted(tally.days.items())),
        "by_action": dict(sorted(tally.actions.items())),
        "top": {customer: count for count, customer in tally.top},
        "outcomes": dict(sorted(tally.outcomes.items())),
        "precision": None if precision is None else round(precision, 4),
        "precision_of": tally.judged,
    }
    return told | ({"live": _against(tally.against, live[rule.id])} if rule.id in live else {})


def _against(against: Against, version: int) -> dict[str, Any]:
    return {
        "version": version,
        "both": against.both,
        "only_here": against.here,
        "only_live": against.live,
        "such_as_here": against.only_here,
        "such_as_live": against.only_live,
    }


def is_lacking(data: dict[str, Any]) -> str:
    """Why this is not the run that the journal tells of; empty if it is."""
    if not data["missing"]:
        return ""
    said = ", ".join(f"{count:,} of {topic}" for topic, count in data["missing"].items())
    return (
        f"NOT the run as it was: Kafka has removed offsets that it took ({said}), and what they "
        "told is missing in all that follows"
    )


def picture(data: dict[str, Any]) -> Iterator[Table | Text | str]:
    """For a terminal."""
    if lacking := is_lacking(data):
        yield Text(lacking, "bold red")
    yield (
        f"{data['messages']:,} messages, {data['from']} to {data['to']}: "
        f"{data['messages_per_second']:,} a second"
    )
    yield _rules_table(data["rules"])
    yield from _remarks(data)
    if data["workload"]:
        yield _workload_table(data["workload"])


def _rules_table(rules: dict[str, Any]) -> Table:
    table = Table("rule", box=None, pad_edge=False)
    for name in ("fired", "customers", "a day", "most a day", "held out", "shadow", "precision"):
        table.add_column(name, justify="right")
    for rule, told in rules.items():
        precision = told["precision"]
        table.add_row(
            f"{rule}@{told['version']}",
            f"{told['fired']:,}",
            f"{told['customers']:,}",
            f"{told['a_day']:,}",
            f"{told['most_a_day']:,}",
            f"{told['held_out'] or ''}",
            f"{told['shadow'] or ''}",
            "" if precision is None else f"{precision:.0%} of {told['precision_of']:,}",
        )
    return table


def _remarks(data: dict[str, Any]) -> Iterator[str]:
    if data["not_covered"]:
        yield f"the archive has nothing from {' and '.join(data['not_covered'])}"
    yield from _cold(data["rules"])
    yield from _blind(data["rules"])
    for rule, told in data["rules"].items():
        if told["top"]:
            named = [*told["top"].items()][:_NAMED]
            often = ", ".join(f"{customer} ({count})" for customer, count in named)
            yield f"{rule}: most for {often}"
        if told["failures"]:
            yield f"{rule}: raised {told['failures']:,} times: its own effects were lost"
        if live := told.get("live"):
            yield (
                f"{rule}: as the live version {live['version']} {live['both']:,} times, "
                f"only here {live['only_here']:,}, only live {live['only_live']:,}"
            )
            for key, what in (("such_as_here", "only here"), ("such_as_live", "only live")):
                yield from (f"    {what}: {one}" for one in live[key])
    for name in ("unknown", "dead_letters"):
        if data[name]:
            said = ", ".join(f"{count:,} {one}" for one, count in data[name].items())
            yield f"{name.replace('_', ' ')}: {said}"
    if data["dead_letters"].get(Reason.FUTURE):
        yield (
            f"    {Reason.FUTURE}: dated after they were sent. If these are many, the clock here "
            "is not the workers' (VIPCARE_CLOCK__…)"
        )
    for one in data["lost"][:_REASONS]:
        yield f"    {one['times']:,} {one['reason']}: {one['detail']}"
    if (more := len(data["lost"]) - _REASONS) > 0:
        yield f"    and {more:,} more (--json)"


def _cold(rules: dict[str, Any]) -> Iterator[str]:
    days = {rule: told["warm_from"] for rule, told in rules.items() if told["warm_from"]}
    latest = sorted(days, key=lambda rule: days[rule], reverse=True)
    if latest:
        named = [f"{rule} before {days[rule][:10]}" for rule in latest[:_NAMED]]
        more = [f"{len(latest) - _NAMED:,} more (--json)"] if len(latest) > _NAMED else []
        yield f"not warm, as the archive does not go back so far: {', '.join([*named, *more])}"


def _blind(rules: dict[str, Any]) -> Iterator[str]:
    """Never shortened: these are as good as not tried."""
    by_what: dict[str, list[str]] = {}
    for rule, told in rules.items():
        for what in told["not_stored"]:
            by_what.setdefault(what, []).append(rule)
    for what, blind in sorted(by_what.items()):
        yield (
            f"ClickHouse does not store {what}, so these rules miss what follows from them (try "
            f"--events or --source kafka): {', '.join(blind)}"
        )


def _workload_table(workload: dict[str, Any]) -> Table:
    table = Table("relationship manager", box=None, pad_edge=False)
    for name in ("tasks and alerts", "a day", "most a day"):
        table.add_column(name, justify="right")
    for rm, told in [*workload.items()][:_RMS]:
        table.add_row(rm, f"{told['total']:,}", f"{told['a_day']:,}", f"{told['most']:,}")
    if (more := len(workload) - _RMS) > 0:
        table.add_row(f"and {more:,} more (--json)", "", "", "")
    return table


def _often(found: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    """The most frequent first."""
    return -found[1], found[0]


def _instant(at: int, zone: tzinfo) -> str:
    return from_millis(at).astimezone(zone).isoformat(timespec="seconds")


def _part(counts: dict[str, int], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): count
        for name, count in sorted(counts.items())
        if name.startswith(prefix) and count
    }
