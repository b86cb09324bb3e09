"""What an event adds to the state of an aggregate."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from streams.buckets.values import scale
from streams.expressions.compile import Writer, compile_function
from streams.expressions.nodes import Aggregate, Node

Keep = Callable[[Any, int], Any]
"""A value, and the decimals of a number → how a state keeps it."""
_Number = tuple[Node, int, Keep]


class Pick(NamedTuple):
    """What an event adds to one state: 1 if there is no value to add, else the value unless it is
    unknown; with several all of them, as a list."""

    where: Node | None = None
    values: tuple[Node, ...] = ()
    decimals: tuple[int, ...] = ()
    keep: Keep = scale
    as_list: bool = False
    adds: int = 1
    """Where there is no value."""
    otherwise: int | None = None
    """What one adds for which the condition is not true."""

    def alone(self) -> _Number | None:
        return (
            None
            if self.as_list or not self.values
            else (self.values[0], self.decimals[0], self.keep)
        )


class Picking:
    """Writes what an event's data (`d`) adds to each of several states. Conditions and values that
    several have in common are looked at once."""

    def __init__(self, picks: Sequence[Pick]) -> None:
        self._writer = Writer(_no_aggregates)
        self.namespace = self._writer.namespace
        wheres = dict.fromkeys(one.where for one in picks if one.where is not None)
        self._wheres = {where: f"w_{n}" for n, where in enumerate(wheres)}
        times = Counter(alone for one in picks if (alone := one.alone()) is not None)
        shared = (alone for alone, count in times.items() if count > 1)
        self._shared = {alone: f"n_{n}" for n, alone in enumerate(shared)}

    def shared(self) -> Iterator[str]:
        """The lines that stand before all else."""
        for where, name in self._wheres.items():
            yield f"{name} = {self._writer.true(where)}"
        for alone, name in self._shared.items():
            yield f"{name} = {_kept(self._writer, *alone)}"

    def constant(self, value: object) -> str:
        return self._writer.constant(value)

    def condition(self, pick: Pick) -> str | None:
        """The name that tells whether anything is added; None if that depends on no condition."""
        if pick.where is None or pick.otherwise is not None:
            return None
        return self._wheres[pick.where]

    def added(self, pick: Pick) -> str:
        """What is added where the condition is true; of a value that is unknown None."""
        if pick.as_list:
            keep = self.constant(pick.keep)
            values = zip(map(self._writer.value, pick.values), pick.decimals, strict=True)
            return f"[{', '.join(f'{keep}({value}, {decimals})' for value, decimals in values)}]"
        if (alone := pick.alone()) is not None:
            return self._shared.get(alone) or _kept(self._writer, *alone)
        if pick.where is None or pick.otherwise is None:
            return str(pick.adds)
        return f"({pick.adds} if {self._wheres[pick.where]} else {pick.otherwise})"


def compile_pick(pick: Pick) -> Callable[[Any], Any]:
    """What an event's data adds to one state; None if it adds nothing."""
    picking = Picking([pick])
    text, condition = picking.added(pick), picking.condition(pick)
    if condition is not None:
        text += f" if {condition} else None"
    lines = ["def made(d):", *picking.shared(), f"return {text}"]
    return compile_function("\n    ".join([*lines, ""]), picking.namespace)


def _kept(writer: Writer, node: Node, decimals: int, keep: Keep) -> str:
    """Of one value; None where it is unknown."""
    name = writer.temporary()
    unknown = f"({name} := {writer.value(node)}) is None"
    return f"(None if {unknown} else {writer.constant(keep)}({name}, {decimals}))"


def _no_aggregates(aggregate: Aggregate) -> int:
    raise TypeError(f"{aggregate.function} inside an aggregate")
