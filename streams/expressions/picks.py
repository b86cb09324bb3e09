"""What an event adds to the states of aggregates: of all of its type in one function."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from streams.buckets import scale
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


def compile_picks(picks: Sequence[Pick]) -> Callable[[Any], tuple[Any, ...]]:
    """What an event's data adds to each of several states; None if it adds nothing. Conditions and
    values that several have in common are looked at once."""
    writer = Writer(_no_aggregates)
    wheres = {one.where: f"w_{n}" for n, one in enumerate(picks) if one.where is not None}
    times = Counter(alone for one in picks if (alone := one.alone()) is not None)
    shared = {alone: f"n_{n}" for n, (alone, count) in enumerate(times.items()) if count > 1}
    lines = ["def made(d):"]
    lines += [f"{name} = {writer.true(where)}" for where, name in wheres.items()]
    lines += [f"{name} = {_kept(writer, *alone)}" for alone, name in shared.items()]
    added = []
    for pick in picks:
        text = _added(writer, pick, shared)
        if pick.where is not None:
            text += f" if {wheres[pick.where]} else {pick.otherwise}"
        added.append(f"{text}, ")
    lines.append(f"return ({''.join(added)})")
    return compile_function("\n    ".join([*lines, ""]), writer.namespace)


def compile_pick(pick: Pick) -> Callable[[Any], Any]:
    """What an event's data adds to one state."""
    picks = compile_picks([pick])
    return lambda data: picks(data)[0]


def _added(writer: Writer, pick: Pick, shared: Mapping[_Number, str]) -> str:
    if pick.as_list:
        keep = writer.constant(pick.keep)
        values = zip(map(writer.value, pick.values), pick.decimals, strict=True)
        return f"[{', '.join(f'{keep}({value}, {decimals})' for value, decimals in values)}]"
    if (alone := pick.alone()) is None:
        return str(pick.adds)
    return shared.get(alone) or _kept(writer, *alone)


def _kept(writer: Writer, node: Node, decimals: int, keep: Keep) -> str:
    """Of one value; None where it is unknown."""
    name = writer.temporary()
    unknown = f"({name} := {writer.value(node)}) is None"
    return f"(None if {unknown} else {writer.constant(keep)}({name}, {decimals}))"


def _no_aggregates(aggregate: Aggregate) -> int:
    raise TypeError(f"{aggregate.function} inside an aggregate")
