"""What a backtest found, as data."""

from collections import Counter
from collections.abc import Callable
from datetime import tzinfo
from operator import attrgetter
from typing import Any

from agents.backtest.begins import some_from, whole_from
from agents.backtest.not_stored import not_stored
from agents.backtest.run import Result
from schemas.envelope import from_millis
from schemas.place import Place
from schemas.rules import RuleDefinition
from streams.backtest.tally import Span
from streams.backtest.whys import Whys
from streams.rules.checked import CheckedRule, check_rule


def as_data(
    result: Result,
    seconds: float,
    *,
    is_stored: bool = False,
    place: Callable[[Place], str] = str,
) -> dict[str, Any]:
    """Instants are ISO 8601 in the bank's time zone, days its calendar's. `is_stored`: the archive
    is of what the sink stored. `place` says where in the archive a message stands."""
    asked = result.question
    blind = not_stored(asked.rules, asked.core) if is_stored else {}
    counts, zone = result.tally.counts, asked.span.zone
    live = {rule.id: rule.version for rule in asked.live}
    running = [rule for rule in asked.rules if rule.status in ("live", "shadow")]
    spans = {rule.id: _counted(rule, result) for rule in running}
    latest = max(spans.values(), key=attrgetter("start"), default=asked.span)
    return {
        "from": _instant(asked.span.start, zone),
        "to": _instant(asked.span.end, zone),
        "days": asked.span.days,
        "archive": {
            "from": _instant(result.archive.start, zone),
            "to": _instant(result.archive.end, zone),
        },
        "not_covered": _not_covered(result),
        "missing": result.missing,
        "begins": {topic: _instant(one.whole, zone) for topic, one in result.begins.items()},
        "messages": result.messages,
        "events": counts["applied"],
        "seconds": round(seconds, 3),
        "messages_per_second": round(result.messages / max(seconds, 0.001)),
        "duplicates": counts["duplicates"],
        "dead_letters": _part(counts, "dead:"),
        "lost": _lost(result.tally.whys, place),
        "unknown": _part(counts, "unknown:"),
        "rules": {
            rule.id: _rule(rule, result, spans[rule.id])
            | {"not_stored": blind.get(rule.id, [])}
            | ({"live": _against(result, rule.id, live[rule.id])} if rule.id in live else {})
            for rule in running
        },
        "workload": {
            rm: {
                "total": loads.total(),
                "a_day": _a_day(loads, latest),
                "most": max(loads.values()),
                "by_day": dict(sorted(loads.items())),
            }
            for rm, loads in sorted(
                result.tally.workload.items(), key=lambda pair: (-pair[1].total(), pair[0])
            )
        },
    }


def _lost(whys: Whys, place: Callable[[Place], str]) -> list[dict[str, Any]]:
    return [
        {
            "reason": reason,
            "detail": detail,
            "times": times,
            "first": [place(one) for one in whys.places[reason, detail]],
        }
        for (reason, detail), times in sorted(whys.times.items(), key=_often)
    ]


def _not_covered(result: Result) -> list[str]:
    """Which days were asked about that the archive does not have."""
    asked, whole = result.asked, result.archive.whole_days()
    told = []
    if asked.start and asked.start < whole.start:
        told.append(f"before {whole.day(whole.start)}")
    if asked.end > whole.end:
        told.append(f"after {whole.day(whole.end - 1)}")
    return told


def _counted(rule: RuleDefinition, result: Result) -> Span:
    """Of what is counted the part in which the archive has what the rule listens to."""
    span = result.question.span
    return span._replace(start=min(span.end, some_from(rule.on, span.start, result.begins)))


def _a_day(by_day: Counter[str], span: Span) -> float | None:
    """None where the span is empty."""
    if span.start >= span.end:
        return None
    first = span.day(span.start)
    return round(sum(count for day, count in by_day.items() if day >= first) / span.days, 2)


def _warm_from(rule: RuleDefinition, result: Result) -> str | None:
    """From when on it looks back no further than the archive goes, unless it always does."""
    asked = result.question
    checked = check_rule(rule, asked.core.attributes, asked.core.greetings)
    assert isinstance(checked, CheckedRule), "it was played"
    wholes = {topic: one.whole for topic, one in result.begins.items()}
    found = whole_from(checked, result.archive.start, wholes, asked.span.zone)
    return _instant(found, asked.span.zone) if found > asked.span.start else None


def _rule(rule: RuleDefinition, result: Result, counted: Span) -> dict[str, Any]:
    tally = result.tally.of(rule.id)
    precision = tally.precision
    return {
        "version": rule.version,
        **{name: tally.became[name] for name in ("fired", "shadow", "held_out")},
        "refused": tally.refused,
        "retracted": tally.retracted,
        "failures": result.tally.counts[f"rule_failures:{rule.id}"],
        "customers": tally.customers,
        "days": counted.days if counted.start < counted.end else 0,
        "a_day": _a_day(tally.days, counted),
        "most_a_day": max(tally.days.values(), default=0),
        "by_day": dict(sorted(tally.days.items())),
        "by_action": dict(sorted(tally.actions.items())),
        "top": {customer: count for count, customer in tally.top},
        "outcomes": dict(sorted(tally.outcomes.items())),
        "precision": None if precision is None else round(precision, 4),
        "precision_of": tally.judged,
        "warm_from": _warm_from(rule, result),
    }


def _against(result: Result, rule: str, version: int) -> dict[str, Any]:
    against = result.tally.of(rule).against
    return {
        "version": version,
        "both": against.both,
        "only_here": against.here,
        "only_live": against.live,
        "such_as_here": against.only_here,
        "such_as_live": against.only_live,
    }


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
