"""How an event goes into the states of aggregates: all of its type in one function.

States that count come most often, and in most of those the event's bucket is the last or the next:
what Window.add does then stands in the function itself, as a call would be the greater part of it.
But for one thing: in the last bucket nothing grows, so what is too old may stay until the next
begins.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from streams import buckets
from streams.expressions.compile import MOST_TOGETHER, compile_function
from streams.expressions.picks import Picking
from streams.months import AT, Clocks
from streams.rules.kept import Kept, Own, Windows, to_edit
from streams.windows import KEPT_BUCKETS, Window

Add = Callable[[Any, Windows, Clocks, Clocks, Own, int], None]
"""Puts an event's data into windows: where it is in them, where the record's latest event is, where
to note what was put in and may be asked not to count, and the record's era."""


def compile_adding(states: Sequence[Kept]) -> Add:
    """For events of one type, which go into all of these."""
    parts = [
        _compile(states[first : first + MOST_TOGETHER])
        for first in range(0, len(states), MOST_TOGETHER)
    ]
    if len(parts) == 1:
        return parts[0]

    def add(*given: Any) -> None:
        for part in parts:
            part(*given)

    return add


def _compile(states: Sequence[Kept]) -> Add:
    picking = Picking([one.pick for one in states])
    lines = ["def made(d, windows, when, last, own, era):", "e = windows.edited.get"]
    lines += picking.shared()
    for one in states:
        lines += _lines(one, picking)
    picking.namespace |= {"to_edit": to_edit, "len": len}
    return compile_function("\n ".join([*lines, ""]), picking.namespace)


def _lines(one: Kept, picking: Picking) -> Iterator[str]:
    indent, value = "", picking.added(one.pick)
    if (condition := picking.condition(one.pick)) is not None:
        yield f"if {condition}:"
        indent += " "
    if one.pick.alone() is not None:
        yield f"{indent}p = {value}"
        yield f"{indent}if p is not None:"
        indent, value = indent + " ", "p"
    if one.is_timed:
        value = f"[when[{AT}], {value}]"
    window, key = picking.constant(one.window), repr(one.key)
    yield f"{indent}s = e({key}) or to_edit(windows, {key}, {window}, era)"
    add = f"{picking.constant(one.window.add)}(s, when[{one.clock}], {value}, last[{one.clock}])"
    if isinstance(one.window, Window) and one.window.kind is buckets.COUNTS:
        width, keep = one.window.width, one.window.keep
        fits = f"len(x) < {KEPT_BUCKETS} and x[0] > (last[{one.clock}] - {keep}) // {width}"
        yield f"{indent}x, bucket = s[1], when[{one.clock}] // {width}"
        yield f"{indent}if not x or x[-1] > bucket: {add}"
        yield f"{indent}elif x[-1] == bucket: s[2][-1] += 1"
        yield f"{indent}elif {fits}: x.append(bucket); s[2].append(1)"
        yield f"{indent}else: {add}"
    else:
        yield f"{indent}{add}"
    if one.has_prior:
        yield f"{indent}own[{key}] = {value}"
