"""Copies of windows, on which events are taken back and played again."""

from collections.abc import Container, Mapping
from copy import deepcopy
from typing import Any

from schemas.record import Windows


class Copies:
    """Copies of the windows of a record, made when asked for: what Aggregates need of them. Those
    that began after an event came do not have it: it gets others, for itself alone."""

    def __init__(self, windows: Windows, began: Mapping[str, int]) -> None:
        self._windows = windows
        self._began = began
        self._last_began = max(began.values(), default=0)
        self._without: Container[str] = ()
        self._copies: dict[str, list[Any]] = {}
        self.edited = self._copies
        self.read: dict[str, list[Any] | None] = {}
        """Nothing: all that is here may be edited."""

    def turn_to(self, came: int) -> None:
        """To an event that came then."""
        self._without, self.edited = (), self._copies
        if came < self._last_began:
            self._without = {key for key, began in self._began.items() if came < began}
            self.edited = {k: v for k, v in self._copies.items() if k not in self._without}

    def get(self, key: str) -> list[Any] | None:
        return self.edit(key)

    def edit(self, key: str) -> list[Any] | None:
        if key in self.edited or key in self._without:
            return self.edited.get(key)
        if (state := self._windows.get(key)) is None:
            return None
        return self._keep(key, deepcopy(state))

    def put(self, key: str, value: list[Any]) -> list[Any]:
        if key in self._without:
            self.edited[key] = value
            return value
        return self._keep(key, value)

    def _keep(self, key: str, state: list[Any]) -> list[Any]:
        self._copies[key] = self.edited[key] = state
        return state
