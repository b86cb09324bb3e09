"""What a backtest found, for people."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from schemas.dead_letters import Reason

_RMS = 15
_REASONS = 5
_NAMED = 3
"""So many are shown; --json has more."""


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
    """What is so of no rule has no column: a screen is narrow."""
    rare = [
        name
        for name in ("retracted", "held_out", "refused", "shadow")
        if any(told[name] for told in rules.values())
    ]
    table = Table("rule", box=None, pad_edge=False)
    for name in ("fired", "customers", "a day", "most a day", *rare, "precision"):
        table.add_column(name.replace("_", " "), justify="right")
    for rule, told in rules.items():
        precision = told["precision"]
        table.add_row(
            f"{rule}@{told['version']}",
            f"{told['fired']:,}",
            f"{told['customers']:,}",
            _a_day(told),
            f"{told['most_a_day']:,}",
            *(f"{told[name] or ''}" for name in rare),
            "" if precision is None else f"{precision:.0%} of {told['precision_of']:,}",
        )
    return table


def _remarks(data: dict[str, Any]) -> Iterator[str]:
    if data["not_covered"]:
        yield f"the archive has nothing from {' and '.join(data['not_covered'])}"
    yield from _removed(data["begins"])
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
        where = ", ".join(one["first"]) + (", …" if one["times"] > len(one["first"]) else "")
        yield f"    {one['times']:,} {one['reason']}: {one['detail']} ({where})"
    if (more := len(data["lost"]) - _REASONS) > 0:
        yield f"    and {more:,} more (--json)"


def _removed(begins: dict[str, str]) -> Iterator[str]:
    if begins:
        topics = ", ".join(f"{at[:16].replace('T', ' ')} of {one}" for one, at in begins.items())
        yield (
            f"Kafka has removed what came before {topics}: windows, cooldowns and records know "
            "only what came since, and `a day` is of the days since (--source clickhouse goes "
            "further back)"
        )


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
        table.add_row(rm, f"{told['total']:,}", _a_day(told), f"{told['most']:,}")
    if (more := len(workload) - _RMS) > 0:
        table.add_row(f"and {more:,} more (--json)", "", "", "")
    return table


def _a_day(told: dict[str, Any]) -> str:
    return "–" if told["a_day"] is None else f"{told['a_day']:,}"
