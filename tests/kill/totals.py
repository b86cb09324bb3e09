"""What runs went through, counted and added up."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self


@dataclass
class Totals:
    """What a run went through."""

    events: int = 0
    kills: int = 0
    zombies: int = 0
    rebalances: int = 0
    broker_restarts: int = 0
    sink_kills: int = 0
    timers: int = 0
    lost: int = 0
    doubled: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    """How workers ended, as exit statuses."""

    def add(self, other: Self) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def __str__(self) -> str:
        numbers = {name: value for name, value in vars(self).items() if name != "ends"}
        ends = ", ".join(f"{status}: {times}" for status, times in sorted(self.ends.items()))
        return ", ".join(f"{name} {value}" for name, value in numbers.items()) + f" (ends {ends})"

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(vars(self)))

    @classmethod
    def read(cls, path: Path) -> Self:
        values = json.loads(path.read_text())
        return cls(**{**values, "ends": Counter(values["ends"])})
