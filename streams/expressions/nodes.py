"""Typed expressions: what check makes of the syntax tree, for compile and interpret to walk."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import Enum
from typing import Any


class Base(Enum):
    """The types of values, by the words that a rule's author reads."""

    NUMBER = "a number"
    TEXT = "a text"
    FLAG = "a condition (true or false)"
    DAY = "a day"
    TAGS = "tags"
    TEXTS = "a list of texts"


@dataclass(frozen=True, slots=True)
class Type:
    base: Base
    optional: bool = False
    """It may be unknown."""
    decimals: int | None = 0
    """Of a number: 0 is a whole number (int), more a Decimal; None is a Decimal of any length."""
    choices: tuple[str, ...] = ()
    """Of a text: what it can be, if that is a closed list."""
    code: str = ""
    """Of a text: `country` or `currency`, if it is a code of one."""


WINDOW_DECIMALS = 8
"""What a record keeps of a number whose decimals are not known."""


def kept_decimals(kind: Type) -> int:
    """The decimals of a number that are kept."""
    return WINDOW_DECIMALS if kind.decimals is None else kind.decimals


FLAG = Type(Base.FLAG)
TEXT = Type(Base.TEXT)
WHOLE = Type(Base.NUMBER)


@dataclass(frozen=True, slots=True)
class Node:
    type: Type


@dataclass(frozen=True, slots=True)
class Literal(Node):
    value: int | Decimal | str | bool


@dataclass(frozen=True, slots=True)
class EventField(Node):
    name: str
    unset: bool = False
    """It may be UNSET (absent from a patch), which counts as unknown."""


@dataclass(frozen=True, slots=True)
class ProfileField(Node):
    name: str


@dataclass(frozen=True, slots=True)
class ScoreField(Node):
    """The points of a score; unknown where none was reckoned yet."""

    name: str


@dataclass(frozen=True, slots=True)
class StepField(Node):
    """A field of an event that came before: of a step of the rule's sequence."""

    step: int
    """Its place in the sequence."""
    name: str


@dataclass(frozen=True, slots=True)
class FactField(Node):
    """A field of a fact that holds for every customer: a rate, a product, a branch."""

    function: str
    """As it is written."""
    kind: str
    key: Node
    """Whose: the id of the rate, the product, …, or the class of the newest product."""
    name: str


@dataclass(frozen=True, slots=True)
class Attribute(Node):
    """A bank's own field; a value of another type (it was declared otherwise once) is unknown."""

    name: str


@dataclass(frozen=True, slots=True)
class Tags(Node):
    pass


@dataclass(frozen=True, slots=True)
class Let(Node):
    name: str


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Over the customer's events of `types` within `length` milliseconds up to this event, or in
    calendar months."""

    function: str
    types: tuple[str, ...]
    length: int
    value: Node | None
    where: Node | None
    value_text: str
    where_text: str
    """The two in one form (write.py): aggregates of the same text share a state."""
    decimals: int
    """What a state keeps of a value's decimals."""
    prior: bool = False
    """Without the event itself."""
    prior_by: int = 0
    """Without so many milliseconds up to the event, and all that lies in a bucket with them."""
    at_least: int = 0
    """Unknown with fewer events; of avg and stddev."""
    months: tuple[int, int] | None = None
    """Instead of `length`: the first and the last month, counted from the event's own."""
    without: tuple[str, ...] = ()
    """The event types that break a streak; those of a type in both that do not count break it."""
    fields: tuple[EventField, ...] = ()
    """Of the last events themselves, which a sequence looks at: what is kept of each."""


@dataclass(frozen=True, slots=True)
class Reading(Node):
    """An aggregate's value."""

    aggregate: Aggregate


@dataclass(frozen=True, slots=True)
class ItemField(Node):
    """A field of the thing that a list's condition is about."""

    name: str


@dataclass(frozen=True, slots=True)
class Gathered(Node):
    """What a function makes of those of a list of the record (streams/expressions/lists.py) for
    which a condition is true."""

    function: str
    list: str
    value: Node | None
    where: Node | None


@dataclass(frozen=True, slots=True)
class Days(Node):
    """How many days there are until a day, or since it."""

    function: str
    """`days_until` or `days_since`."""
    part: Node


@dataclass(frozen=True, slots=True)
class Clock(Node):
    """What the bank's clocks show when something is looked at."""

    name: str
    """`hour` or `weekday`, see days.py."""


@dataclass(frozen=True, slots=True)
class MonthEnd(Node):
    """A total as it was at the end of an earlier month, see month_ends.py."""

    name: str
    ago: int
    """So many months before the one that it is looked at in."""


@dataclass(frozen=True, slots=True)
class Not(Node):
    part: Node


@dataclass(frozen=True, slots=True)
class Holds(Node):
    """Whether a condition is true; never unknown itself."""

    part: Node


@dataclass(frozen=True, slots=True)
class And(Node):
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or(Node):
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Compare(Node):
    operator: str
    """One of == != < <= > >=."""
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class OneOf(Node):
    value: Node
    options: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class HasTag(Node):
    value: Node


@dataclass(frozen=True, slots=True)
class HasText(Node):
    """Whether a list of texts has a value."""

    value: Node
    texts: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    operator: str
    """One of + - * /; a quotient is a Decimal, and unknown where the divisor is zero. Any result is
    unknown that is too large (LIMIT in streams/expressions/values.py)."""
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Absolute(Node):
    part: Node


@dataclass(frozen=True, slots=True)
class Rounded(Node):
    part: Node
    decimals: int


@dataclass(frozen=True, slots=True)
class Known(Node):
    part: Node


@dataclass(frozen=True, slots=True)
class Default(Node):
    part: Node
    otherwise: Node


COMPOSED = (Not, Holds, And, Or, Compare, OneOf, HasTag, HasText, Known)
"""Conditions put together of others; they may not stand where a compiler writes a part twice."""


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes directly below one; what is inside an aggregate does not count."""
    match node:
        case Not() | Holds() | Absolute() | Rounded() | Known() | Days():
            return (node.part,)
        case And() | Or():
            return node.parts
        case Compare() | Arithmetic():
            return (node.left, node.right)
        case OneOf() | HasTag():
            return (node.value,)
        case HasText():
            return (node.value, node.texts)
        case Default():
            return (node.part, node.otherwise)
        case FactField():
            return (node.key,)
        case _:
            return _of_list(node) if isinstance(node, Gathered) else ()


def _of_list(node: Gathered) -> tuple[Node, ...]:
    return tuple(one for one in (node.value, node.where) if one is not None)


def walk(node: Node, *, into_lists: bool = True) -> list[Node]:
    """A node and everything below it, from left to right; what is asked of each thing of a list
    only if it is gone into."""
    found = [node]
    if into_lists or not isinstance(node, Gathered):
        for part in parts(node):
            found += walk(part, into_lists=into_lists)
    return found


def rewrite(node: Node, change: Callable[[Node], Node]) -> Node:
    """A node with each part changed that `change` gives another one for."""
    changed: dict[str, Any] = {}
    for field in fields(node):
        match getattr(node, field.name):
            case Node() as part:
                changed[field.name] = rewrite(part, change)
            case (Node(), *_) as several:
                changed[field.name] = tuple(rewrite(part, change) for part in several)
    return change(replace(node, **changed) if changed else node)


def narrow(node: Node, base: Base) -> Node:
    """A text beside a day is a day."""
    if isinstance(node, Literal) and node.type.base is Base.TEXT and base is Base.DAY:
        return replace(node, type=Type(Base.DAY))
    return node
