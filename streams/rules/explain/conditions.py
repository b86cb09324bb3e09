"""Conditions and values as people say them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from streams.attributes import NONE_DECLARED, Attributes
from streams.expressions.nodes import (
    Absolute,
    Aggregate,
    And,
    Arithmetic,
    Attribute,
    Base,
    Compare,
    Days,
    Default,
    EventField,
    FactField,
    Gathered,
    HasTag,
    HasText,
    Holds,
    ItemField,
    Known,
    Let,
    Literal,
    MonthEnd,
    Node,
    Not,
    OneOf,
    Or,
    ProfileField,
    Reading,
    Rounded,
    ScoreField,
    StepField,
    Tags,
)
from streams.expressions.write import length_text
from streams.rules.explain.phrases import Phrases
from streams.rules.explain.words import EVENTS, FIELDS, FIELDS_OF, LISTS, RELATIVES, VALUES
from streams.rules.sequence import CheckedStep

_OPERATORS = {"+": "plus", "-": "minus", "*": "times", "/": "by"}
_OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Teller:
    """Says nodes in one language. `types` are those of the event, `steps` of a sequence, `listed`
    the list in whose condition they stand; `attributes` have their titles."""

    def __init__(
        self,
        phrases: Phrases,
        types: Iterable[str] = (),
        steps: Sequence[CheckedStep] = (),
        listed: str = "",
        attributes: Attributes = NONE_DECLARED,
    ) -> None:
        self.phrases = phrases
        self._attributes = attributes
        self._types = tuple(types)
        self._about = {one.partition(".")[0] for one in self._types}
        self._steps = steps
        self._listed = listed

    def of(self, types: Iterable[str]) -> "Teller":
        """Who says what events of other types have."""
        return Teller(self.phrases, types, self._steps, attributes=self._attributes)

    def tell(self, node: Node) -> str:
        return SAID[type(node)](self, node)

    def say(self, key: str, *parts: object) -> str:
        return self.phrases.say[key].format(*parts)

    def length(self, text: str) -> str:
        """A length such as 30d."""
        return self.quantity(int(text[:-1]), text[-1])

    def quantity(self, number: int, unit: str) -> str:
        one, several = self.phrases.units[unit]
        gap = "" if self.phrases.place else " "
        return f"{number}{gap}{one if number == 1 else several}"

    def field(self, name: str) -> str:
        of_these = {FIELDS_OF.get((about, name)) for about in self._about}
        words = of_these.pop() if len(of_these) == 1 else None
        words = words or FIELDS.get(name)
        return words[self.phrases.place] if words else name.replace("_", " ")

    def attribute(self, name: str) -> str:
        """The title that the bank gave it."""
        declared = self._attributes.declared.get(name)
        if declared is None:
            return name
        return declared.title.zh if self.phrases.place else declared.title.en

    def relative(self, name: str) -> str:
        return RELATIVES[name][self.phrases.place] if name in RELATIVES else name

    def value(self, text: str) -> str:
        return VALUES[text][self.phrases.place] if text in VALUES else text

    def events(self, types: Iterable[str]) -> str:
        """Several events of these types."""
        place = 3 if self.phrases.place else 1
        return self.phrases.say["any"].join(EVENTS[one][place] for one in types)

    def happens(self, types: Iterable[str]) -> str:
        place = 2 if self.phrases.place else 0
        return self.phrases.say["any"].join(EVENTS[one][place] for one in types)

    def condition(self, node: Node) -> str:
        """What is true or false: a value that is one by itself is said to be true."""
        said = self.tell(node)
        return self.say("is_true", said) if isinstance(node, _FLAGS) else said

    def group(self, node: Node) -> str:
        """A condition beside others: in brackets if it is several itself."""
        node = node.part if isinstance(node, Holds) else node
        said = self.condition(node)
        return self.say("group", said) if isinstance(node, And | Or) else said

    def denied(self, node: Node) -> str:
        """That a condition is false: it, and nothing that may stand behind it."""
        form = DENIED.get(type(node))
        return form(self, node) if form else self.say("is_false", self.tell(node))

    def _literal(self, node: Literal) -> str:
        match node.value:
            case bool():
                return self.say("true" if node.value else "false")
            case str():
                return self.say("text", node.value)
            case Decimal():
                return f"{node.value:,f}"
            case _:
                return f"{node.value:,}"

    def _joined(self, node: And | Or) -> str:
        key = "and" if isinstance(node, And) else "or"
        inner = Or if isinstance(node, And) else And
        return self.say(key).join(
            self.group(part) if isinstance(part, inner) else self.condition(part)
            for part in node.parts
        )

    def _denied_together(self, node: And | Or) -> str:
        several = self.say("next").join(map(self.condition, node.parts))
        return self.say("none_of" if isinstance(node, Or) else "not_all_of", several)

    def _compare(self, node: Compare) -> str:
        phrases = self.phrases
        forms = phrases.compared | (phrases.days if node.left.type.base is Base.DAY else {})
        left, right = self._side(node.left, node.right), self._side(node.right, node.left)
        return forms[node.operator].format(left, right)

    def _side(self, node: Node, other: Node) -> str:
        if isinstance(node, Literal) and other.type.choices:
            return self.say("text", self.value(str(node.value)))
        return self.tell(node)

    def _one_of(self, node: OneOf, key: str = "one_of") -> str:
        options = self.phrases.say["list"].join(self._side(one, node.value) for one in node.options)
        return self.say(key, self.tell(node.value), options)

    def _arithmetic(self, node: Arithmetic) -> str:
        if node.operator == "-" and isinstance(node.left, Literal) and node.left.value == 0:
            return self.say("negative", self._part(node.right))
        if (share := _share(node)) is not None:
            whole, of = share
            there = self._there(whole)
            return self.say("share", self.tell(whole), there.group(of))
        return self.say(_OPERATORS[node.operator], self._part(node.left), self._part(node.right))

    def _part(self, node: Node) -> str:
        said = self.tell(node)
        return self.say("group", said) if isinstance(node, Arithmetic | Rounded) else said

    def _rounded(self, node: Rounded) -> str:
        part = self._part(node.part)
        if not node.decimals:
            return self.say("whole", part)
        return self.say("rounded", part, self.quantity(node.decimals, "decimals"))

    def _default(self, node: Default) -> str:
        return self.say("default", self._part(node.part), self.tell(node.otherwise))

    def _there(self, node: Reading | Gathered) -> "Teller":
        """Who says what is asked inside."""
        if isinstance(node, Gathered):
            return Teller(self.phrases, self._types, self._steps, node.list, self._attributes)
        return self.of(node.aggregate.types)

    def _event_field(self, node: EventField) -> str:
        said = self.say("field", self.field(node.name))
        return self.say("of_event", said) if self._listed else said

    def _item_field(self, node: ItemField) -> str:
        words = FIELDS_OF.get((self._listed, node.name)) or FIELDS[node.name]
        return self.say("field", words[self.phrases.place])

    def _gathered(self, node: Gathered) -> str:
        things, where = self._things(node)
        value = "" if node.value is None else self._there(node).tell(node.value)
        return self.phrases.lists[node.function].format(value=value, things=things, where=where)

    def _things(self, node: Gathered) -> tuple[str, str]:
        """What a list holds, and which of it are meant."""
        there, where = self._there(node), node.where
        which = "" if where is None else self.say("where", there.condition(where))
        return LISTS[node.list][self.phrases.place], which

    def _fact(self, node: FactField) -> str:
        form = self.phrases.calls[node.function]
        return form.format(self.tell(node.key), self.field(node.name))

    def _step_field(self, node: StepField) -> str:
        step = self._steps[node.step]
        return self.say("step", step.name, self.of(step.types).field(node.name))

    def _reading(self, node: Reading) -> str:
        one = node.aggregate
        there = self.of(one.types)
        where = self.say("where", there.condition(one.where)) if one.where is not None else ""
        if one.without:
            where += self.say("without", self.events(one.without))
        said = self.phrases.aggregates[one.function].format(
            value="" if one.value is None else there.tell(one.value),
            events=self.events(one.types),
            span=self._span(one),
            where=where,
        )
        said += self.say("prior") if one.prior else ""
        return said + (self.say("at_least", one.at_least) if one.at_least else "")

    def _span(self, one: Aggregate) -> str:
        match one.months:
            case None:
                return self.say("span", self.length(length_text(one.length)))
            case (0, 0):
                return self.say("this_month")
            case (-1, -1):
                return self.say("last_month")
            case (first, -1):
                return self.say("last_months", -first)
            case (first, last):
                return self.say("months", -first, -last)


def _share(node: Arithmetic) -> tuple[Reading | Gathered, Node] | None:
    """Of a quotient that is the share of what holds for some of it: the whole, and what has to
    hold."""
    part: Aggregate | Gathered
    whole: Aggregate | Gathered
    match node.operator, node.left, node.right:
        case "/", Reading(aggregate=part), Reading(aggregate=whole) as right:
            same = replace(part, where=whole.where, where_text=whole.where_text) == whole
        case "/", Gathered() as part, Gathered() as right:
            whole, same = right, replace(part, where=right.where) == right
        case _:
            return None
    if not same:
        return None
    if whole.where is None:
        return None if part.where is None else (right, part.where)
    match part.where:
        case And(parts=(of, where)) if where == whole.where:
            return right, of
    return None


_FLAGS = (EventField, ItemField, Attribute, Let, StepField, FactField, Default)

SAID: dict[type[Node], Callable[[Teller, Any], str]] = {
    Literal: Teller._literal,
    EventField: Teller._event_field,
    ItemField: Teller._item_field,
    Gathered: Teller._gathered,
    Days: lambda teller, node: teller.say(node.function, teller.tell(node.part)),
    MonthEnd: lambda teller, node: teller.say("month_end", teller.field(node.name), str(node.ago)),
    ProfileField: lambda teller, node: teller.say("profile", teller.field(node.name)),
    StepField: Teller._step_field,
    FactField: Teller._fact,
    Attribute: lambda teller, node: teller.say("attribute", teller.attribute(node.name)),
    ScoreField: lambda teller, node: teller.say("score_field", node.name),
    Tags: lambda teller, _: teller.say("tags"),
    Let: lambda teller, node: teller.say("let", node.name),
    Reading: Teller._reading,
    Not: lambda teller, node: teller.denied(node.part),
    Holds: lambda teller, node: teller.condition(node.part),
    And: Teller._joined,
    Or: Teller._joined,
    Compare: Teller._compare,
    OneOf: Teller._one_of,
    HasTag: lambda teller, node: teller.say("has_tag", teller.tell(node.value)),
    HasText: lambda teller, node: teller.say(
        "has_text", teller.tell(node.value), teller.tell(node.texts)
    ),
    Arithmetic: Teller._arithmetic,
    Absolute: lambda teller, node: teller.say("abs", teller._part(node.part)),
    Rounded: Teller._rounded,
    Known: lambda teller, node: teller.say("known", teller.tell(node.part)),
    Default: Teller._default,
}
"""Each kind of node → how it is said; a test sees to it that none is missing."""

DENIED: dict[type[Node], Callable[[Teller, Any], str]] = {
    Not: lambda teller, node: teller.condition(node.part),
    Holds: lambda teller, node: teller.denied(node.part),
    And: Teller._denied_together,
    Or: Teller._denied_together,
    Literal: lambda teller, node: teller.tell(replace(node, value=not node.value)),
    Compare: lambda teller, node: teller.tell(replace(node, operator=_OPPOSITES[node.operator])),
    OneOf: lambda teller, node: teller._one_of(node, "not_one_of"),
    HasTag: lambda teller, node: teller.say("has_no_tag", teller.tell(node.value)),
    HasText: lambda teller, node: teller.say(
        "has_no_text", teller.tell(node.value), teller.tell(node.texts)
    ),
    Known: lambda teller, node: teller.say("unknown", teller.tell(node.part)),
    Gathered: lambda teller, node: teller.say("has_none", *teller._things(node)),
}
"""Each kind of condition → how its falseness is said; of a value that is one it is said so."""
