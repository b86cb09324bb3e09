"""From the syntax tree to typed nodes: every name, type and argument is checked at load."""

import ast
import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from streams.expressions import calls, lookups, unknown
from streams.expressions.catalogue import (
    attribute_fields,
    common_fields,
    may_be_unset,
    personal_fields,
    profile_fields,
)
from streams.expressions.days import CLOCKS
from streams.expressions.hints import BARE_DAY, quoted_day
from streams.expressions.lists import LISTS
from streams.expressions.nodes import (
    COMPOSED,
    FLAG,
    TEXT,
    WHOLE,
    And,
    Arithmetic,
    Attribute,
    Base,
    Clock,
    Compare,
    EventField,
    HasTag,
    HasText,
    ItemField,
    Let,
    Literal,
    Node,
    Not,
    OneOf,
    Or,
    ProfileField,
    ScoreField,
    StepField,
    Tags,
    Type,
    kept_decimals,
    narrow,
)
from streams.expressions.parse import (
    TEXT_IN_QUOTES,
    BrokenNameError,
    EventType,
    ExpressionError,
    Parsed,
    nearest,
    parse,
)
from streams.expressions.scope import Scope
from streams.expressions.ways import CONSTRUCTS, WEEKDAY, nothing, sensitive, undeclared, unseen

MAX_DECIMALS = 8
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_TRIPLED = re.compile(r"""\'{3}|"{3}""")
_NUMBER = re.compile(r"[0-9_]{1,24}(\.[0-9_]{1,12})?\Z")
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def step_field(step: int, name: str, kind: Type) -> StepField:
    """A field of a step's event, of the type that it is kept as."""
    optional = kind.optional or kind.base is Base.TEXT
    return StepField(replace(kind, decimals=kept_decimals(kind), optional=optional), step, name)


def check(text: str, scope: Scope, expected: Base | None = None) -> Node:
    """Parse and check one expression. Raises ExpressionError."""
    parsed = parse(text)
    checker = Checker(parsed, scope)
    if expected is not None:
        return checker.expect(parsed.tree, expected)
    node = checker.node(parsed.tree)
    if node.type.base is Base.TAGS:
        raise checker.error(parsed.tree, "tags are asked with in, as in ('golf' in tags)")
    return node


@dataclass(frozen=True)
class Checker:
    parsed: Parsed
    scope: Scope

    def error(self, tree: ast.AST, message: str) -> ExpressionError:
        return ExpressionError(message, self.parsed.column(tree))

    def within(self, types: tuple[str, ...]) -> "Checker":
        """The same expression, inside an aggregate over these event types."""
        return replace(self, scope=Scope(types, inside="an aggregate"))

    def expect(self, tree: ast.expr, base: Base) -> Node:
        return self.fitted(self._beside(tree, Type(base)), base, tree)

    def fitted(self, node: Node, base: Base, tree: ast.expr) -> Node:
        """What `tree` was found to be, if it is of that kind."""
        node = narrow(node, base)
        if node.type.base is not base:
            message = f"expected {base.value}, found {node.type.base.value}"
            raise self.error(tree, message + self._in_quotes(tree, base))
        return node

    def _beside(self, tree: ast.expr, kind: Type) -> Node:
        """What stands where a text may be: a word that nobody knows lacks its quotes."""
        try:
            return self.node(tree)
        except ExpressionError as error:
            if kind.base is Base.TEXT and isinstance(tree, ast.Name):
                error.message = unknown.in_quotes(error.message, tree.id, kind.choices)
            raise

    def _in_quotes(self, tree: ast.expr, base: Base) -> str:
        """For a day that is written as a difference."""
        text = self.parsed.text(tree)
        is_day = base is Base.DAY and BARE_DAY.fullmatch(text)
        return f": {quoted_day(text)}" if is_day else ""

    def node(self, tree: ast.expr) -> Node:
        if isinstance(self.parsed.token(tree), tuple):
            raise self.error(tree, f"{self._token(tree)} belongs inside an aggregate, as in count")
        match tree:
            case ast.Constant():
                return self._literal(tree)
            case ast.Name():
                return self._name(tree)
            case ast.Attribute():
                return self._attribute(tree)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.Compare():
                return self._condition(tree)
            case ast.UnaryOp(op=ast.USub()):
                part = self.expect(tree.operand, Base.NUMBER)
                return Arithmetic(replace(part.type, optional=True), "-", Literal(WHOLE, 0), part)
            case ast.BinOp():
                return self._arithmetic(tree)
            case ast.Call():
                return calls.check_call(self, tree)
            case _:
                message = "this is not part of the language of rules"
                raise self.error(tree, CONSTRUCTS.get(type(tree), message))

    def _condition(self, tree: ast.BoolOp | ast.UnaryOp | ast.Compare) -> Node:
        match tree:
            case ast.BoolOp():
                return self._logic(tree)
            case ast.UnaryOp():
                part = self._flag(tree.operand)
                return Not(part.type, part)
            case ast.Compare():
                return self._comparison(tree)

    def _token(self, tree: ast.expr) -> str:
        token = self.parsed.token(tree)
        return token.name if isinstance(token, EventType) else getattr(token, "text", "")

    def _flag(self, tree: ast.expr) -> Node:
        return self.expect(tree, Base.FLAG)

    def _literal(self, tree: ast.Constant) -> Literal:
        match tree.value:
            case bool():
                return Literal(FLAG, tree.value)
            case str():
                return self._text(tree, tree.value)
            case int() | float():
                return self._number(tree)
            case None:
                raise self.error(tree, nothing("there is no None"))
            case _:
                raise self.error(tree, "this is not part of the language of rules")

    def _text(self, tree: ast.Constant, value: str) -> Literal:
        """Python would take texts beside each other as one, so that a forgotten comma makes a text
        that nothing is equal to."""
        written = self.parsed.text(tree)
        first = TEXT_IN_QUOTES.match(written)
        if first is None or _TRIPLED.match(written):
            raise self.error(tree, "write a text in one pair of quotes, as in 'CN'")
        if first.end() < len(written):
            gap = len(written[first.end() :]) - len(written[first.end() :].lstrip())
            column = self.parsed.column(tree) + first.end() + gap
            raise ExpressionError("a comma is missing before this text", column)
        return Literal(TEXT, value)

    def _number(self, tree: ast.Constant) -> Literal:
        text = self.parsed.text(tree)
        if not _NUMBER.match(text):
            raise self.error(tree, "write a number plainly, as in 200000, 200_000 or 0.25")
        if "." not in text:
            return Literal(WHOLE, int(text))
        number = Decimal(text)
        return Literal(Type(Base.NUMBER, decimals=_kept(len(text.split(".")[1]))), number)

    def _name(self, tree: ast.Name) -> Node:
        name, scope = tree.id, self.scope
        if name in ("true", "false"):
            return Literal(FLAG, name == "true")
        if name in scope.broken:
            raise BrokenNameError(f"{name} is wrong", self.parsed.column(tree))
        if scope.listed:
            return self._name_in_a_list(tree)
        if name in scope.lets:
            return Let(scope.lets[name], name)
        fields = common_fields(scope.types)
        if name in fields:
            return EventField(fields[name], name, any(map(may_be_unset, scope.types)))
        if name == "tags" and not scope.inside:
            return Tags(Type(Base.TAGS))
        if name in CLOCKS and not scope.inside:
            return Clock(WHOLE, name)
        raise self.error(tree, unknown.name(scope, name, fields))

    def _name_in_a_list(self, tree: ast.Name) -> Node:
        name, scope = tree.id, self.scope
        fields = LISTS[scope.listed].fields
        if name in fields:
            if name in scope.lets:
                message = f"{name} is a field of {scope.listed} and a let: rename the let"
                raise self.error(tree, message)
            return ItemField(fields[name], name)
        if name in scope.lets:
            return Let(scope.lets[name], name)
        if name == "tags":
            return Tags(Type(Base.TAGS))
        raise self.error(tree, unknown.of_list(scope, name))

    def _attribute(self, tree: ast.Attribute) -> Node:
        if isinstance(tree.value, ast.Call) and isinstance(tree.value.func, ast.Name):
            name = tree.value.func.id
            if name in lookups.THINGS:
                return lookups.check_field(self, tree, tree.value, name)
        owner = tree.value.id if isinstance(tree.value, ast.Name) else ""
        if isinstance(tree.value, ast.Attribute) and self._is_scores(tree.value):
            return self._score(tree)
        if owner in self.scope.broken:
            raise BrokenNameError(f"{owner} is wrong", self.parsed.column(tree))
        if owner in self.scope.steps:
            return self._step_field(tree, owner)
        if owner == "event":
            return self._of_event(tree)
        if owner not in ("profile", "attributes"):
            raise self.error(tree, unknown.part(self.scope, self.parsed.text(tree), tree))
        if self.scope.inside:
            raise self.error(tree, self.scope.seen())
        if owner == "attributes":
            return self._own_field(tree)
        fields = profile_fields()
        if tree.attr not in fields:
            raise self.error(tree, unknown.of_profile(self.scope, tree.attr))
        return ProfileField(fields[tree.attr], tree.attr)

    def _of_event(self, tree: ast.Attribute) -> EventField:
        name, types = tree.attr, self.scope.types
        if not self.scope.listed:
            raise self.error(tree, unknown.of_event(self.scope, name))
        fields = common_fields(types)
        if name not in fields:
            known = [f"event.{one}" for one in fields]
            raise self.error(tree, f"event.{name} is not known{nearest(f'event.{name}', known)}")
        return EventField(fields[name], name, any(map(may_be_unset, types)))

    def _is_scores(self, tree: ast.Attribute) -> bool:
        owner = tree.value
        return isinstance(owner, ast.Name) and owner.id == "profile" and tree.attr == "scores"

    def _score(self, tree: ast.Attribute) -> ScoreField:
        if self.scope.inside:
            raise self.error(tree, self.scope.seen())
        return ScoreField(Type(Base.NUMBER, optional=True), tree.attr)

    def _step_field(self, tree: ast.Attribute, step: str) -> StepField:
        types, name = self.scope.steps[step], tree.attr
        fields = common_fields(types)
        if name in fields:
            return step_field(list(self.scope.steps).index(step), name, fields[name])
        if any(name in personal_fields(one) for one in types):
            raise self.error(tree, unseen(f"{step}.{name}", name))
        hint = nearest(name, fields)
        raise self.error(tree, f"{step}.{name} is not a field of {' and '.join(types)}{hint}")

    def _own_field(self, tree: ast.Attribute) -> Attribute:
        name, fields = tree.attr, attribute_fields(self.scope.attributes)
        if name in fields:
            return Attribute(fields[name], name)
        if name in self.scope.attributes.declared:
            raise self.error(tree, sensitive(f"attributes.{name}"))
        raise self.error(tree, undeclared(name, fields))

    def _logic(self, tree: ast.BoolOp) -> Node:
        kind = And if isinstance(tree.op, ast.And) else Or
        flat: list[Node] = []
        wrong: list[ExpressionError] = []
        for value in tree.values:
            try:
                part = self._flag(value)
            except ExpressionError as error:
                wrong.append(error)
            else:
                flat += part.parts if isinstance(part, kind) else [part]
        if wrong:
            wrong[0].beside += wrong[1:]
            raise wrong[0]
        optional = any(part.type.optional for part in flat)
        return kind(Type(Base.FLAG, optional), tuple(flat))

    def _arithmetic(self, tree: ast.BinOp) -> Node:
        operator = _ARITHMETIC.get(type(tree.op))
        if operator is None:
            raise self.error(tree, "of arithmetic there is + - * and /")
        left, right = self._operand(tree.left), self._operand(tree.right)
        decimals = _decimals(operator, left.type.decimals, right.type.decimals)
        return Arithmetic(Type(Base.NUMBER, True, decimals), operator, left, right)

    def _operand(self, tree: ast.expr) -> Node:
        node = self.node(tree)
        if node.type.base is Base.DAY and not self.scope.inside:
            message = "expected a number, found a day: write days_until"
            raise self.error(tree, f"{message}({self.parsed.text(tree)})")
        return self.expect(tree, Base.NUMBER)

    def _comparison(self, tree: ast.Compare) -> Node:
        found: list[Node] = []
        left = tree.left
        for operator, right in zip(tree.ops, tree.comparators, strict=True):
            match operator:
                case ast.In():
                    found.append(self._member(left, right))
                case ast.NotIn():
                    member = self._member(left, right)
                    found.append(Not(member.type, member))
                case _:
                    found.append(self._compare(left, _COMPARISONS.get(type(operator)), right))
            left = right
        if len(found) == 1:
            return found[0]
        return And(Type(Base.FLAG, any(one.type.optional for one in found)), tuple(found))

    def _compare(self, first: ast.expr, operator: str | None, second: ast.expr) -> Node:
        if operator is None:
            raise self.error(first, "compare with == and !=; known(x) asks if there is a value")
        left = self.node(first)
        right = self._beside(second, left.type)
        left, right = narrow(left, right.type.base), narrow(right, left.type.base)
        base = left.type.base
        if right.type.base is not base:
            message = f"expected {base.value} to compare with, found {right.type.base.value}"
            quoted = self._in_quotes(first, right.type.base) or self._in_quotes(second, base)
            raise self.error(second, message + (quoted or _numbered(left, right)))
        if operator not in ("==", "!=") and base not in (Base.NUMBER, Base.DAY):
            raise self.error(first, f"{operator} compares numbers and days, not {base.value}")
        if (
            base in (Base.TAGS, Base.TEXTS)
            or isinstance(left, COMPOSED)
            or isinstance(right, COMPOSED)
        ):
            raise self.error(first, "conditions are joined with and, or, not; tags asked with in")
        for one, other, at in ((left, right, second), (right, left, first)):
            self._possible(one.type, other, at)
        return Compare(
            Type(Base.FLAG, left.type.optional or right.type.optional), operator, left, right
        )

    def _possible(self, kind: Type, node: Node, tree: ast.expr) -> None:
        """Refuse a literal that the other side can never be."""
        if not isinstance(node, Literal):
            return
        if kind.choices and node.value not in kind.choices:
            choices = ", ".join(kind.choices)
            hint = nearest(str(node.value), kind.choices)
            raise self.error(tree, f"it can only be one of {choices}{hint}")
        if kind.base is Base.DAY:
            self.a_day(str(node.value), tree)

    def varies(self, node: Node, tree: ast.expr) -> None:
        """Refuse a constant where something that varies is meant: `'device'` instead of device."""
        if not isinstance(node, Literal):
            return
        scope, name = self.scope, str(node.value)
        fields = LISTS[scope.listed].fields if scope.listed else common_fields(scope.types)
        hint = f"; did you mean {name}, without quotes?" if name in (*fields, *scope.lets) else ""
        message = f"{self.parsed.text(tree)} is always the same: expected a field"
        raise self.error(tree, message + (hint or nearest(name, fields)))

    def a_day(self, text: str, tree: ast.expr) -> None:
        """Refuse a text that is no day."""
        if not _DAY.match(text):
            raise self.error(tree, "write a day as '2026-01-31'")
        try:
            date.fromisoformat(text)
        except ValueError:
            raise self.error(tree, f"no calendar has the day {text}") from None

    def _member(self, value: ast.expr, group: ast.expr) -> Node:
        if isinstance(group, ast.Name) and group.id == "tags":
            self.node(group)
            tag = self.expect(value, Base.TEXT)
            return HasTag(Type(Base.FLAG, tag.type.optional), tag)
        if isinstance(group, ast.Attribute | ast.Name):
            texts, one = self.expect(group, Base.TEXTS), self.expect(value, Base.TEXT)
            return HasText(Type(Base.FLAG, optional=True), one, texts)
        if not isinstance(group, ast.List) or not group.elts:
            raise self.error(
                group, "after in comes tags, an attribute of texts, or a list as in ['CN', 'HK']"
            )
        node = self.node(value)
        options = [self._beside(one, replace(node.type, base=Base.TEXT)) for one in group.elts]
        node = narrow(node, options[0].type.base)
        literals: list[Literal] = []
        for found, tree in zip(options, group.elts, strict=True):
            option = narrow(found, node.type.base)
            if not isinstance(option, Literal):
                raise self.error(tree, "a list holds only texts or numbers, no names")
            if option.type.base is not node.type.base or node.type.base is Base.FLAG:
                message = f"expected {node.type.base.value}, found {option.type.base.value}"
                raise self.error(tree, message + _numbered(node))
            self._possible(node.type, option, tree)
            literals.append(option)
        return OneOf(Type(Base.FLAG, node.type.optional), node, tuple(literals))


def _numbered(*sides: Node) -> str:
    """For a day of the week that has its name."""
    is_asked = any(isinstance(one, Clock) and one.name == "weekday" for one in sides)
    return f": {WEEKDAY}" if is_asked else ""


def _decimals(operator: str, left: int | None, right: int | None) -> int | None:
    if left is None or right is None or operator == "/":
        return None
    return _kept(left + right if operator == "*" else max(left, right))


def _kept(decimals: int) -> int | None:
    return decimals if decimals <= MAX_DECIMALS else None
