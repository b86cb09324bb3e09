"""From runs to figures: medians with their spread, ratios, a table."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from rich.table import Table

from tests.bench.throughput.contenders import OURS, Contender
from tests.bench.throughput.run import Measured

Runs = Mapping[Contender, Sequence[Measured]]
"""Of one workload at one number of partitions."""

_MB = 1024 * 1024


def as_json(runs: Runs) -> dict[str, dict[str, object]]:
    """Contender's name → its figures; `…_spread` is the least and the greatest run."""
    return {one.name: _figures(one, measured) for one, measured in runs.items() if measured}


def _figures(contender: Contender, runs: Sequence[Measured]) -> dict[str, object]:
    figures: dict[str, object] = {
        "title": contender.title,
        "guarantee": contender.guarantee,
        "tuning": contender.tuning,
        "runs": len(runs),
        "events": sum(one.events for one in runs),
        "seconds": round(sum(one.seconds for one in runs), 2),
    }
    for name, (of, digits) in _COLUMNS.items():
        values = [value for one in runs if (value := of(one)) is not None]
        figures[name] = round(median(values), digits) if values else None
        if name in _SPREAD and values:
            figures[f"{name}_spread"] = [round(min(values), digits), round(max(values), digits)]
    return figures


_COLUMNS: dict[str, tuple[Callable[[Measured], float | None], int]] = {
    "events_per_second": (lambda one: one.rate, 0),
    "cpu_us_per_event": (lambda one: one.cpu_seconds / one.events * 1e6, 1),
    "changelog_bytes_per_event": (
        lambda one: None if one.changelog_bytes is None else one.changelog_bytes / one.events,
        1,
    ),
    "cache_hit_rate": (lambda one: one.cache_hit_rate, 3),
    "memory_mb": (lambda one: one.rss_bytes / _MB, 0),
    "threads": (lambda one: one.threads, 0),
    "connections": (lambda one: one.connections, 0),
}
_SPREAD = ("events_per_second", "cpu_us_per_event")


def ratios(workload: str, runs: Runs) -> dict[str, float]:
    """`tiny_vs_quix` and so on: ours divided by theirs, in events a second, of the medians."""
    rates = {one.name: median(each.rate for each in done) for one, done in runs.items() if done}
    ours = rates.pop(OURS.name, None)
    if ours is None:
        return {}
    return {f"{workload}_vs_{name}": round(ours / rate, 3) for name, rate in rates.items()}


def as_table(title: str, runs: Runs) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    table.add_column("guarantee", max_width=38)
    for name in ("events/s", "spread", "ours is", "CPU µs", "log B", "hits", "MB", "thr", "conn"):
        table.add_column(name, justify="right", no_wrap=True)
    compared = ratios("", runs)
    for name, row in as_json(runs).items():
        low, high = row["events_per_second_spread"]  # type: ignore[misc]  # a pair
        ratio = compared.get(f"_vs_{name}")
        table.add_row(
            str(row["title"]),
            str(row["guarantee"]),
            _shown(row["events_per_second"], ",.0f"),
            f"{low:,.0f}-{high:,.0f}",
            "" if ratio is None else f"{ratio:.2f}x",
            _shown(row["cpu_us_per_event"], ".1f"),
            _shown(row["changelog_bytes_per_event"], ".0f"),
            _shown(row["cache_hit_rate"], ".0%"),
            _shown(row["memory_mb"], ".0f"),
            _shown(row["threads"], ".0f"),
            _shown(row["connections"], ".0f"),
        )
    return table


def _shown(value: object, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"
