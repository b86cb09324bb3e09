"""Conditions and values as people say them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from streams.attributes import NONE_DECLARED, Attributes
from streams.expressions.lookups import NUMBERS
from streams.expressions.nodes import (
    Absolute,
    And,
    Arithmetic,
    Attribute,
    Base,
    Clock,
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
from streams.rules.explain.naming import Names
from streams.rules.explain.phrases import Phrases
from streams.rules.explain.windows import share_of, told_breaks, told_length, told_span
from streams.rules.explain.words import FLAGS, LISTS
from streams.rules.sequence import CheckedStep

_OPERATORS = {"+": "plus", "-": "minus", "*": "times", "/": "by"}
_OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_OF_DAYS = {"min": "earliest", "max": "latest"}
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
"""Comparisons from the other side."""


_Value = EventField | ItemField | StepField | FactField


class Teller(Names):
    """Says nodes. `steps` are those of a sequence, `listed` the list in whose condition they
    stand."""

    def __init__(
        self,
        phrases: Phrases,
        types: Iterable[str] = (),
        steps: Sequence[CheckedStep] = (),
        listed: str = "",
        attributes: Attributes = NONE_DECLARED,
    ) -> None:
        super().__init__(phrases, types, attributes)
        self._steps = steps
        self._listed = listed

    def of(self, types: Iterable[str]) -> "Teller":
        """Who says what events of other types have."""
        return Teller(self.phrases, types, self._steps, attributes=self._attributes)

    def tell(self, node: Node) -> str:
        return SAID[type(node)](self, node)

    def condition(self, node: Node) -> str:
        """What is true or false: a value that is one by itself is said to be true."""
        if form := _STATED.get(type(node)):
            return form(self, node, True)
        return self.tell(node)

    def group(self, node: Node) -> str:
        """A condition beside others: in brackets if it is several itself."""
        node = node.part if isinstance(node, Holds) else node
        said = self.condition(node)
        return self.say("group", said) if isinstance(node, And | Or) else said

    def denied(self, node: Node) -> str:
        """That a condition is false: it, and nothing that may stand behind it."""
        if form := _STATED.get(type(node)):
            return form(self, node, False)
        return DENIED[type(node)](self, node)

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
        """What is known beforehand stands on the right."""
        one, operator, other = node.left, node.operator, node.right
        if isinstance(one, Literal) and not isinstance(other, Literal):
            one, operator, other = other, _TURNED.get(operator, operator), one
        if isinstance(other, Literal) and isinstance(other.value, bool):
            return self.condition(one) if (operator == "==") is other.value else self.denied(one)
        phrases = self.phrases
        forms = phrases.compared | (phrases.days if one.type.base is Base.DAY else {})
        return forms[operator].format(self._side(one, other), self._side(other, one))

    def _side(self, node: Node, other: Node) -> str:
        if isinstance(node, Literal) and other.type.choices:
            return self.say("text", self.value(str(node.value)))
        return self.tell(node)

    def _one_of(self, node: OneOf) -> str:
        return self.say("one_of", self.tell(node.value), self._options(node, "or"))

    def _none_of(self, node: OneOf) -> str:
        if len(node.options) == 1:
            option = self._side(node.options[0], node.value)
            return self.phrases.compared["!="].format(self.tell(node.value), option)
        return self.say("not_one_of", self.tell(node.value), self._options(node, "and"))

    def _options(self, node: OneOf, last: str) -> str:
        return self.phrases.listed([self._side(one, node.value) for one in node.options], last)

    def _tag(self, node: HasTag) -> str:
        key = "tag" if isinstance(node.value, Literal) else "tag_of"
        return self.say(key, self.tell(node.value))

    def _arithmetic(self, node: Arithmetic) -> str:
        if node.operator == "-" and isinstance(node.left, Literal) and node.left.value == 0:
            return self.say("negative", self._part(node.right))
        if (share := share_of(node)) is not None:
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
        return self.say("rounded", part, self.phrases.quantity(node.decimals, "decimals"))

    def _default(self, node: Default) -> str:
        return self.say("default", self._part(node.part), self.tell(node.otherwise))

    def _there(self, node: Reading | Gathered) -> "Teller":
        """Who says what is asked inside."""
        if isinstance(node, Gathered):
            types, attributes = self._types, self._attributes
            return Teller(self.phrases, types, self._steps, node.list, attributes)
        return self.of(node.aggregate.types)

    def _value(self, node: _Value) -> str:
        """What a field holds."""
        if node.type.base is Base.FLAG and node.name in FLAGS:
            return self.say("flag", self._stated(node))
        match node:
            case EventField(name=name):
                said = self.say("field", self.field(name))
                return self.say("of_event", said) if self._listed else said
            case ItemField(name=name):
                return self.say("field", self.field_of(self._listed, name))
            case StepField(name=name):
                step = self._steps[node.step]
                return self.say("step", step.name, self.of(step.types).field(name))
            case FactField(name=name):
                return self._fact(node)

    def _stated(self, node: _Value, is_so: bool = True) -> str:
        """That a field that is true or false is one of the two."""
        form = FLAGS[node.name][self.phrases.place][0 if is_so else 1]
        match node:
            case FactField():
                return form.format(self._thing(node))
            case StepField():
                return self.say("step_flag", self._steps[node.step].name, form)
            case EventField() if self._listed:
                return self.say("of_event", form)
            case _:
                return form

    def _known_as(self, node: Node, is_so: bool) -> str:
        """The same of what has a name and no words of its own."""
        return self.say("is_true" if is_so else "is_false", self.tell(node))

    def _defaulted(self, node: Default, is_so: bool) -> str:
        part, otherwise = (
            (self.condition if is_so else self.denied)(one) for one in (node.part, node.otherwise)
        )
        return self.say("default_flag", part, otherwise)

    def _gathered(self, node: Gathered) -> str:
        things, where = self._things(node)
        value = "" if node.value is None else self._there(node)._part(node.value)
        if node.type.base is Base.DAY:
            return self.say(_OF_DAYS[node.function], value, things, where)
        return self.phrases.lists[node.function].format(value=value, things=things, where=where)

    def _things(self, node: Gathered) -> tuple[str, str]:
        """What a list holds, and which of it are meant."""
        there, where = self._there(node), node.where
        which = "" if where is None else self.say("where", there.condition(where))
        return LISTS[node.list][self.phrases.place], which

    def _fact(self, node: FactField) -> str:
        if node.function in NUMBERS:
            return self.phrases.calls[node.function].format(self.tell(node.key))
        return self.say("of", self._thing(node), self.field(node.name))

    def _thing(self, node: FactField) -> str:
        """What a fact is about: by its id, or as whatever has the id is called."""
        key, forms = self.tell(node.key), self.phrases.calls
        if isinstance(node.key, Literal | Let):
            return forms[node.function].format(key)
        return forms.get(f"{node.function}_named", "{0}").format(key)

    def _reading(self, node: Reading) -> str:
        one = node.aggregate
        there = self.of(one.types)
        where = self.say("where", there.condition(one.where)) if one.where is not None else ""
        said = self.phrases.aggregates[one.function].format(
            value="" if one.value is None else there._part(one.value),
            events=self.events(one.types),
            span=told_span(self, one),
            where=where,
            without=told_breaks(self, one),
        )
        notes = [self.say("prior")] if one.prior else []
        notes += [self.say("prior_by", told_length(self, one.prior_by))] if one.prior_by else []
        notes += [self.say("at_least", one.at_least)] if one.at_least > 1 else []
        return said + (self.say("notes", self.say("next").join(notes)) if notes else "")


SAID: dict[type[Node], Callable[[Teller, Any], str]] = {
    Literal: Teller._literal,
    EventField: Teller._value,
    ItemField: Teller._value,
    Gathered: Teller._gathered,
    Days: lambda teller, node: teller.say(node.function, teller.tell(node.part)),
    Clock: lambda teller, node: teller.say(node.name),
    MonthEnd: lambda teller, node: teller.say(
        "month_end", teller.field(node.name), teller.phrases.quantity(node.ago, "months")
    ),
    ProfileField: lambda teller, node: teller.say("profile", teller.field_of("profile", node.name)),
    StepField: Teller._value,
    FactField: Teller._value,
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
    HasTag: lambda teller, node: teller.say("has_tag", teller._tag(node)),
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
    OneOf: Teller._none_of,
    HasTag: lambda teller, node: teller.say("has_no_tag", teller._tag(node)),
    HasText: lambda teller, node: teller.say(
        "has_no_text", teller.tell(node.value), teller.tell(node.texts)
    ),
    Known: lambda teller, node: teller.say("unknown", teller.tell(node.part)),
    Gathered: lambda teller, node: teller.say("has_none", *teller._things(node)),
}
"""Each kind of condition → how its falseness is said."""

_STATED: dict[type[Node], Callable[[Teller, Any, bool], str]] = {
    EventField: Teller._stated,
    ItemField: Teller._stated,
    StepField: Teller._stated,
    FactField: Teller._stated,
    Attribute: Teller._known_as,
    Let: Teller._known_as,
    Default: Teller._defaulted,
}
"""Each kind of value that may be true or false → how it is said that it is."""
