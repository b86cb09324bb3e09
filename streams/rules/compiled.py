"""From checked rules to one Python function.

The rules of an event type are tried in one call, each in a block of its own. A condition's clauses
(what `and` joins at the top) are nested in order, those that need no aggregate before those that do
(all must hold, so the order changes no answer). What some rule needs whatever happens is looked up
once, before all blocks; anything else just before the first clause that needs it. So a rule with a
cheap clause that is seldom true costs next to nothing, wherever its author wrote it. The signals of
a score are nested likewise, each by itself, and what a score shows is made where it is high; one
that stays as low as it was, as nearly all do, ends in its block. What a block raises ends that
block alone: no rule has to be compiled by itself to find out which it was.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from functools import cached_property
from typing import Any

from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.expressions.catalogue import TOTALS
from streams.expressions.compile import MOST_TOGETHER, Writer, compile_function
from streams.expressions.nodes import (
    Aggregate,
    And,
    Attribute,
    Gathered,
    HasTag,
    Holds,
    Let,
    Literal,
    MonthEnd,
    Node,
    ProfileField,
    Reading,
    ScoreField,
    StepField,
    walk,
)
from streams.facts import Facts
from streams.rules.checked import CheckedRule
from streams.rules.gate import gate_of
from streams.rules.readings import Readings, Unknown
from streams.rules.scores import stays_low
from streams.rules.sequence import chains_of

Held = tuple[int, tuple[Any, ...] | None]
"""The place of a rule whose condition holds, and the values that it shows: unknown, all but the
signals, of a score that is not high; one that stays as low as it was is left out. No values: it
raised, together with others."""
Evaluate = Callable[[Record, Any, Readings | Unknown, Facts, int], Sequence[Held]]
"""Of a record, an event's data, the aggregates' readings, the facts that hold, and its time."""
Alone = Callable[[Record, Any, Readings | Unknown, Facts, int], tuple[Any, ...] | None]
"""Of one rule, which raises what it raises: the values that it shows if its condition holds."""
_READING = "g_"
_MAX_DEPTH = 50
_MAX_SIGNAL_DEPTH = 40
"""Python reads text that is indented by less than 100."""


class CompiledRule:
    """A rule ready to run by itself."""

    def __init__(
        self, rule: CheckedRule, number_of: Callable[[Aggregate], int], zone: tzinfo
    ) -> None:
        self.checked = rule
        self.definition: RuleDefinition = rule.definition
        self.id = rule.definition.id
        self.names = tuple(rule.shown)[: len(rule.shown) - len(rule.signals)]
        """Of what it shows, but for the signals of a score, which come last."""
        self.choices = frozenset(name for name, node in rule.shown.items() if node.type.choices)
        """Those of them that are one of a closed list."""
        self.gate = gate_of(rule.definition, zone)
        self._number_of = number_of
        self._zone = zone

    @cached_property
    def evaluate(self) -> Alone:
        """Made when it is first asked for: most are tried together with others alone."""
        made = _compile([self.checked], self._number_of, self._zone, guard=False)

        def evaluate(*seen: Any) -> tuple[Any, ...] | None:
            held = made(*seen)
            return held[0][1] if held else None

        return evaluate


def compile_together(
    rules: Sequence[CheckedRule], number_of: Callable[[Aggregate], int], zone: tzinfo
) -> Evaluate:
    """One function that tries them all, and gives those that hold in order."""
    if len(rules) <= MOST_TOGETHER:
        return _compile(rules, number_of, zone, guard=True)
    parts = [
        _compile(rules[first : first + MOST_TOGETHER], number_of, zone, first, guard=True)
        for first in range(0, len(rules), MOST_TOGETHER)
    ]

    def evaluate(*seen: Any) -> Sequence[Held]:
        return [held for part in parts for held in part(*seen)]

    return evaluate


def _compile(
    rules: Sequence[CheckedRule],
    number_of: Callable[[Aggregate], int],
    zone: tzinfo,
    first: int = 0,
    *,
    guard: bool,
) -> Evaluate:
    """`first` is the place of the first of them among all; with a guard each that raises is told of
    among those that hold."""
    writer = Writer(number_of, zone)
    writer.namespace |= {"Exception": Exception}
    blocks = [_Block(writer, rule, number_of) for rule in rules]
    shared = {name: value for block in blocks for name, value in block.needed()}
    lines = [f" {name} = {value}" for name, value in shared.items()]
    for place, block in enumerate(blocks, first):
        own = block.lines(place, shared)
        lines += _guarded(place, own) if guard else own
    begin = ("def made(r, d, g, f, at):", " h = ()", " k, w, c, o = g.asked")
    text = "\n".join([*begin, *_asked_once(lines), " return h", ""])
    return compile_function(text, writer.namespace)


def _guarded(place: int, lines: Iterator[str]) -> Iterator[str]:
    """Which costs nothing while nothing is raised."""
    yield " try:"
    yield from (f" {line}" for line in lines)
    yield " except Exception:"
    yield f"  h += (({place}, None),)"


def _asked_once(lines: Sequence[str]) -> Iterator[str]:
    """Readings that stand in one place alone are read there, see Readings.asked: what several ask
    for is kept."""
    times = Counter(line.strip() for line in lines)
    for line in lines:
        text = line.strip()
        is_once = text.startswith(_READING) and times[text] == 1
        yield line.replace("= g[", "= k[") + "(w, c, o)" if is_once else line


class _Block:
    """The lines of one rule, with each name given a value before it is used."""

    def __init__(
        self, writer: Writer, rule: CheckedRule, number_of: Callable[[Aggregate], int]
    ) -> None:
        self._writer = writer
        self._number_of = number_of
        self._lets = rule.lets
        self._shown = list(rule.shown.values())[: len(rule.shown) - len(rule.signals)]
        self._signals = rule.signals
        self._score = rule.definition.score
        self._sequence = rule.sequence
        clauses = sorted(_clauses(rule.condition), key=self._cost)
        clauses = [one for one in clauses if not _is_always_true(one)]
        self._before = [one for one in clauses if not self._looks_back(one)]
        """What does not need the sequence, and then what does."""
        self._after = [one for one in clauses if self._looks_back(one)]

    def needed(self) -> Iterator[tuple[str, str]]:
        """What is needed whatever happens, the names and their values: by the first clause, or by
        that of each signal. Lets are the rule's own."""
        signals = () if self._sequence else map(self._first, self._signals)
        for clause in self._before[:1] or signals:
            for node in self._parts(clause):
                if not isinstance(node, Let) and (source := self._source(node)) is not None:
                    yield source

    def lines(self, place: int, shared: Mapping[str, str]) -> Iterator[str]:
        given = set(shared)
        indent = " "
        clauses: Sequence[Node | None] = self._before
        if self._sequence is not None:
            clauses = [*self._before, None, *self._after]
        for clause in clauses:
            if clause is None:
                yield f"{indent}for q in {self._chains()}(g):"
            else:
                yield from (f"{indent}{line}" for line in self._give(clause, given))
                yield f"{indent}if {self._writer.true(clause)}:"
            indent += " "
        told = self._told(place, given) if self._score is None else self._scored(place, given)
        yield from (f"{indent}{line}" for line in told)
        if self._sequence is not None:
            yield f"{indent}break"

    def _told(self, place: int, given: set[str], *signals: str) -> Iterator[str]:
        """That the rule's condition holds, with what it shows."""
        for node in self._shown:
            yield from self._give(node, given)
        shown = "".join(f"{value}, " for value in (*map(self._writer.value, self._shown), *signals))
        yield f"h += (({place}, ({shown})),)"

    def _scored(self, place: int, given: set[str]) -> Iterator[str]:
        assert self._score is not None
        signals = [f"y_{number}" for number in range(len(self._signals))]
        for name, node in zip(signals, self._signals, strict=True):
            yield f"{name} = False"
            yield from self._held(name, node, given)
        weighted = zip(self._score.signals, signals, strict=True)
        points, name = self._writer.temporary(), self._writer.constant(self._score.name)
        yield f"{points} = {' + '.join(f'{one.points} * {held}' for one, held in weighted)}"
        yield f"if {points} >= {self._score.threshold}:"
        yield from (f" {line}" for line in self._told(place, given.copy(), *signals))
        stays = self._writer.constant(stays_low)
        yield f"elif not {stays}(r, {name}, {points}, ({', '.join(signals)},)):"
        unknown = ["None"] * len(self._shown)
        yield f" h += (({place}, ({''.join(f'{one}, ' for one in (*unknown, *signals))})),)"

    def _held(self, name: str, signal: Node, given: set[str]) -> Iterator[str]:
        """Give a signal's name its value: what its first clause needs may serve those after it."""
        indent = ""
        for clause in self._clauses_of(signal):
            yield from (f"{indent}{line}" for line in self._give(clause, given))
            yield f"{indent}if {self._writer.true(clause)}:"
            indent, given = indent + " ", given.copy()
        yield f"{indent}{name} = True"

    def _clauses_of(self, signal: Node) -> Sequence[Node]:
        assert isinstance(signal, Holds)
        return sorted(_clauses(signal.part, _MAX_SIGNAL_DEPTH), key=self._cost)

    def _first(self, signal: Node) -> Node:
        return self._clauses_of(signal)[0]

    def _chains(self) -> str:
        assert self._sequence is not None
        return self._writer.constant(chains_of(self._sequence, self._number_of))

    def _give(self, node: Node, given: set[str]) -> Iterator[str]:
        """What a node needs and nobody gave yet."""
        for part in self._parts(node):
            source = self._source(part)
            if source is not None and source[0] not in given:
                given.add(source[0])
                yield f"{source[0]} = {source[1]}"

    def _parts(self, node: Node, seen: set[str] | None = None) -> Iterator[Node]:
        """A node and everything below it, through lets, what a let is made of before it.

        Each let is gone through once: those that name others twice would double the way each time.
        """
        seen = set() if seen is None else seen
        for part in walk(node):
            if isinstance(part, Let) and part.name not in seen:
                seen.add(part.name)
                yield from self._parts(self._lets[part.name], seen)
            yield part

    def _cost(self, node: Node) -> int:
        """How dear a node is to look at, itself or through a let: a month's end is of all that the
        customer has, an aggregate of one state."""
        found = {type(part) for part in self._parts(node)}
        return 2 if MonthEnd in found else 1 if Reading in found else 0

    def _looks_back(self, node: Node) -> bool:
        """Whether a node needs a step of the sequence, itself or through a let."""
        return any(isinstance(part, StepField) for part in self._parts(node))

    def _source(self, node: Node) -> tuple[str, str] | None:
        """The name that stands for a node in the text, and what gives it its value."""
        match node:
            case Let():
                return f"v_{node.name}", self._writer.value(self._lets[node.name])
            case Reading():
                number = self._number_of(node.aggregate)
                return f"{_READING}{number}", f"g[{number}]"
            case ProfileField(name=name):
                return ("s", "worth(r).totals") if name in TOTALS else ("b", "r.profile.basics")
            case Attribute() | ScoreField():
                return self._writer.value(node), self._writer.attribute(node)
            case HasTag():
                return "t", "r.profile.tags"
            case Gathered():
                return f"l_{node.list}", f"listed(r, {node.list!r}, at, zone)"
            case StepField() if self._sequence is not None:
                return self._writer.value(node), self._sequence.source(node)
        return None


def _clauses(condition: Node, most: int = _MAX_DEPTH) -> Sequence[Node]:
    if isinstance(condition, And) and len(condition.parts) < most:
        return condition.parts
    return (condition,)


def _is_always_true(clause: Node) -> bool:
    return isinstance(clause, Literal) and clause.value is True
