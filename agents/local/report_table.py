"""A report as a small table for people."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text


def report_table(report: Mapping[str, Any]) -> Table:
    """The report's values in their order; inner counts as one line each."""
    table = Table(box=SIMPLE_HEAD, show_header=False, padding=(0, 2), show_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in report.items():
        label = name.replace("_", " ")
        if isinstance(value, Mapping):
            table.add_row(label, "" if value else "none")
            for key, inner in value.items():
                table.add_row(f"  {key}", _shown(inner))
        elif not isinstance(value, list):
            table.add_row(label, _shown(value))
        else:
            table.add_row(label, "\n".join(map(str, value)) or "none")
    return table


def _shown(value: Any) -> Text:
    if isinstance(value, bool):
        return Text(str(value).lower(), "bold green" if value else "bold red")
    if isinstance(value, int | float):
        return Text(f"{value:,}")
    return Text(str(value))
