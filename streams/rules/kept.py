"""What is kept of an aggregate in a record: one state, and what of an event goes into it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Any, Protocol

from streams.expressions.picks import Pick, compile_pick
from streams.inputs import Input
from streams.months import AT, clocks
from streams.recent import Recent
from streams.streaks import Streak
from streams.windows import Window

States = Window | Streak | Recent
"""How a state is kept."""


class Windows(Protocol):
    """Where states are kept: those of a record, or copies of them."""

    edited: dict[str, list[Any]]
    read: dict[str, list[Any] | None]

    def get(self, key: str, /) -> list[Any] | None: ...

    def edit(self, key: str, /) -> list[Any] | None: ...

    def put(self, key: str, value: list[Any], /) -> list[Any]: ...


Own = dict[str, Any]
"""Of an event, by the states' keys, the values that it put into them: those that may be asked not
to count."""


@dataclass(frozen=True)
class Kept:
    """One state in the record, and what of an event of one type goes into it."""

    key: str
    window: States
    pick: Pick
    clock: int = AT
    """Where in the window a time is: by which of the clocks."""
    is_timed: bool = False
    """The time stands beside the value."""
    has_prior: bool = False
    """An aggregate may ask for it as it was before an event."""

    @cached_property
    def _picked(self) -> Callable[[Any], Any]:
        """Made when it is first asked for: events are put into all states of their type at once."""
        return compile_pick(self.pick)

    def value(self, event: Input) -> Any:
        picked = self._picked(event.event.data)
        return [event.at, picked] if self.is_timed and picked is not None else picked

    def time(self, at: int, zone: tzinfo) -> int:
        """Where in the window a time is."""
        return clocks(at, zone)[self.clock]

    def is_younger(self, state: list[Any], era: int) -> bool:
        """Whether it began after an era. Streaks and last events know by themselves what they
        hold."""
        return isinstance(self.window, Window) and self.window.is_younger(state, era)


def to_edit(windows: Windows, key: str, window: States, era: int) -> list[Any]:
    """A state, to change in place; a new one, of an era of the record's, where there is none."""
    state = windows.edit(key)
    if state is not None:
        return state
    return windows.put(key, window.new(era) if isinstance(window, Window) else window.new())
