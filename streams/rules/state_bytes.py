"""How many bytes a state takes in a record at most, and how many more with one event."""

from streams import recent
from streams.buckets.kind import COUNT_BYTES
from streams.buckets.values import TEXT_BYTES
from streams.expressions.nodes import Aggregate, Base, EventField, Literal, Node
from streams.rules.kept import Kept

_KEY_BYTES = 20
"""Of a state's key, with what stands around a state."""
_NUMBER_BYTES = 9
"""Of a number that fits 64 bits, as those do that events tell."""
_RECKONED_BYTES = 40
"""Of one that a rule reckons: 28 digits and 8 decimals, as text."""
_LETTER_BYTES = 4


def state_bytes(one: Aggregate, kept: Kept) -> int:
    """More than a state takes, its key included."""
    return _KEY_BYTES + kept.window.bytes(_value(one))


def state_growth(one: Aggregate, kept: Kept) -> int:
    """More than it grows by with one event, its key included if it begins with that."""
    return _KEY_BYTES + kept.window.growth(_value(one))


def _value(one: Aggregate) -> int:
    """More bytes than a value takes."""
    if one.function == "recent":
        letters = recent.KEPT_LENGTH * _LETTER_BYTES
        return sum(_value_bytes(field, letters) for field in one.fields)
    if one.value is None:
        return 1
    if one.function == "distinct" and one.value.type.base is not Base.NUMBER:
        return COUNT_BYTES
    return _value_bytes(one.value, TEXT_BYTES)


def _value_bytes(node: Node, text: int) -> int:
    """`text` is what the longest takes that is kept."""
    kind = node.type
    match kind.base:
        case Base.NUMBER:
            return _NUMBER_BYTES if isinstance(node, EventField | Literal) else _RECKONED_BYTES
        case Base.FLAG:
            return 1
        case Base.DAY:
            return 12
    return 3 + max(map(len, kind.choices), default=text)
