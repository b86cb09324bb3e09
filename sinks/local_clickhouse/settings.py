"""Settings that come with one query, on an engine connection that keeps its settings.

They are put in place before the query and taken back before the next one that has others, so that
what a client SET itself is there again afterwards.
"""

from __future__ import annotations

from sinks.local_clickhouse.engine import EngineConnection
from sinks.local_clickhouse.errors import NOT_IMPLEMENTED, UNKNOWN_SETTING, ServerError
from sinks.local_clickhouse.packets import Setting
from sinks.local_clickhouse.sql import quote

_OFF = ("", "0", "false", "False")
_REFUSED = {
    "extremes": "minima and maxima cannot be sent: ask for min() and max() in a query",
    "readonly": "it could not be taken back: use SET readonly for the whole connection",
    "output_format_native_encode_types_in_binary_format": "the protocol spoken has types by name",
}


class QuerySettings:
    """The settings of the query at hand on one connection."""

    def __init__(self, connection: EngineConnection, *, refuses_extremes: bool = True) -> None:
        self._connection = connection
        self._refused = {
            name: reason
            for name, reason in _REFUSED.items()
            if name != "extremes" or refuses_extremes
        }
        self._active: dict[str, Setting] = {}
        self._before: dict[str, str] = {}

    def apply(self, wanted: dict[str, Setting]) -> None:
        """Puts these settings in place, and only these.

        Raises `ServerError` for a value that is refused, and for an unknown setting that is
        important; other unknown ones are passed over, as ClickHouse does.
        """
        if wanted == self._active:
            return
        self.take_back()
        for name, reason in self._refused.items():
            if name in wanted and wanted[name].value not in _OFF:
                raise ServerError(NOT_IMPLEMENTED, f"The local ClickHouse refuses {name}: {reason}")
        before = self._current(wanted)
        for name, setting in wanted.items():
            if name not in before and setting.important:
                raise ServerError(UNKNOWN_SETTING, f"Unknown setting {name[:80]}")
        # All in one SET: of several, one bad value keeps out the others too.
        self._set({name: quote(wanted[name].value) for name in before})
        self._active, self._before = dict(wanted), before

    def take_back(self) -> None:
        """Puts every setting back to what it was."""
        if self._before:
            self._set(self._before)
        self._active, self._before = {}, {}

    def _set(self, values: dict[str, str]) -> None:
        if values:
            pairs = (f"{name} = {value}" for name, value in values.items())
            self._connection.run("SET " + ", ".join(pairs))

    def _current(self, wanted: dict[str, Setting]) -> dict[str, str]:
        """What the known ones among these are now, as SQL."""
        if not wanted:
            return {}
        names = ", ".join(map(quote, wanted))
        rows = self._connection.rows(
            f"SELECT name, value, changed FROM system.settings WHERE name IN ({names})"  # noqa: S608  quoted above
        )
        return {row["name"]: quote(row["value"]) if row["changed"] else "DEFAULT" for row in rows}
