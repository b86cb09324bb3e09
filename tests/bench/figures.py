"""What a contender is measured by, and the table of all of them."""

from collections.abc import Sequence

from msgspec import Struct
from rich.table import Table


class Figures(Struct, frozen=True, kw_only=True):
    name: str
    events: int
    """Those measured; a worker's first chunk is not, so that its start does not count."""
    seconds: float
    cpu_seconds: float | None
    """Of the contender's own process, user and system; None where that cannot be read."""

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def cpu_us(self) -> float | None:
        """CPU microseconds an event."""
        return None if self.cpu_seconds is None else self.cpu_seconds / self.events * 1e6


def as_json(all_figures: Sequence[Figures]) -> list[dict[str, object]]:
    """For a report; `…_ratio` is to the first contender."""
    peer = all_figures[0]
    return [
        {
            "name": one.name,
            "events": one.events,
            "seconds": round(one.seconds, 3),
            "events_per_second": round(one.rate),
            "rate_ratio": round(one.rate / peer.rate, 3),
            "cpu_us_per_event": None if one.cpu_us is None else round(one.cpu_us, 2),
            "cpu_ratio": _ratio(one.cpu_us, peer.cpu_us),
        }
        for one in all_figures
    ]


def as_table(all_figures: Sequence[Figures]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for title in ("events", "seconds", "events/s", "of core", "CPU µs/event", "of core"):
        table.add_column(title, justify="right")
    for row in as_json(all_figures):
        table.add_row(
            str(row["name"]),
            f"{row['events']:,}",
            f"{row['seconds']:.1f}",
            f"{row['events_per_second']:,}",
            f"{row['rate_ratio']:.2f}x",
            _shown(row["cpu_us_per_event"], ".1f"),
            _shown(row["cpu_ratio"], ".2f", "x"),
        )
    return table


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or not other else round(one / other, 3)


def _shown(value: object, form: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"
