"""Random events, records and well-typed expressions, for the compiler to meet its twin.

Plain recursive functions over a `Random` whose seed Hypothesis draws: a hundred times faster than
strategies built anew for each example, and a failure still names its seed.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import UNSET, Struct

from schemas.attributes import AttributeDefinition, AttributeType
from schemas.envelope import Data, from_millis
from schemas.events import EVENT_TYPES
from schemas.events.core import FamilyMember
from schemas.events.reference import (
    ExchangeRateData,
    ExchangeRateSet,
    InterestRateData,
    InterestRateSet,
    ProductFactData,
    ProductSet,
    ReferenceFact,
)
from schemas.profile import (
    Account,
    Basics,
    Benefit,
    Card,
    Deposit,
    Holding,
    Interest,
    Loan,
    Relation,
    Score,
)
from schemas.record import Record
from schemas.rule_parts import Text
from streams import history
from streams.attributes import Attributes
from streams.durations import DAY_MS
from streams.expressions.catalogue import TOTALS, event_fields, may_be_unset, profile_fields
from streams.expressions.lists import LISTS
from streams.expressions.nodes import Base, Type
from streams.facts import FactBook, Facts
from streams.inputs import Input, Raw
from streams.months import moment

TYPES = (
    "transfer.completed",
    "deposit.placed",
    "page.viewed",
    "contact.made",
    "customer.updated",
    "logged.in",
)
WORDS = ("CN", "HK", "gold", "study-abroad", "留学")
DAYS = ("2026-01-31", "2026-02-01", "2027-11-30")
DECLARED = Attributes(
    AttributeDefinition(name=name, type=name, title=Text(en="A", zh="甲"), sensitive=False)
    for name in get_args(AttributeType)
)
"""An attribute of each type, named after it."""
OFFERED = ("2023-11-20", "2023-12-24", "2024-01-15")
"""Days within the time of random events."""
ORIGIN = 1_700_000_000_000
SPANS = ("1m", "1h", "1d", "30d", "90d", "this month", "last 2 months", "months -3 to 0")
_PRIOR = {"1h": "5m", "1d": "2h", "30d": "1d", "90d": "7d"}
"""Of some windows, how much up to the event may be left out."""
ORDER = ("==", "!=", "<", "<=", ">", ">=")


@cache
def data_struct(event_type: str) -> type[Struct]:
    found: type[Struct] = get_type_hints(EVENT_TYPES[event_type])["data"]
    return found


def field_value(random: Random, kind: Type, *, unset: bool) -> Any:
    """A value of a field; now and then none where that can be."""
    if unset and random.random() < 0.2:
        return UNSET
    if kind.optional and random.random() < 0.2:
        return None
    match kind.base:
        case Base.NUMBER if kind.decimals:
            return Decimal(random.randint(-4_000, 4_000)).scaleb(-random.randint(0, 3))
        case Base.NUMBER:
            return random.randint(-3, 300)
        case Base.FLAG:
            return random.random() < 0.5
        case Base.DAY:
            return random.choice(DAYS)
        case _:
            return random.choice(kind.choices or WORDS)


def random_data(random: Random, event_type: str) -> Struct:
    """An event type's data, with every field that rules see at random and the rest empty."""
    unset = may_be_unset(event_type)
    fields = event_fields(event_type).items()
    drawn = {name: field_value(random, kind, unset=unset) for name, kind in fields}
    if drawn.get("currency"):
        drawn["currency"] = random.choice(("CNY", "HKD"))
    return data_struct(event_type)(**drawn)


def random_input(random: Random, spread_days: int = 100, types: Sequence[str] = TYPES) -> Input:
    """An event at one of a few thousand moments over some days."""
    name = random.choice(types)
    event = EVENT_TYPES[name](
        specversion="1.0",
        id="1",
        source="/test",
        subject="C1",
        time=None,  # type: ignore[arg-type]  # rules use Input.at
        data=random_data(random, name),  # type: ignore[arg-type]  # the type's own struct
    )
    at = ORIGIN + random.randint(0, spread_days * 48) * 1_800_000
    return Input(event, name, at, "bank.core", 0, 0)


def random_record(random: Random) -> Record:
    record = Record("C1")
    fields = profile_fields().items()
    drawn = {
        name: field_value(random, kind, unset=False) for name, kind in fields if name not in TOTALS
    }
    record.edit_profile().basics = Basics(**drawn)
    if random.random() < 0.7:
        _fill_lists(random, record)
    for n in range(random.randrange(3)):
        balance = Decimal(random.randrange(10**8)) / 100
        past = b""
        for _ in range(random.randrange(4)):
            when = moment(ORIGIN - random.randrange(400) * DAY_MS)
            past = history.tell(past, when, Decimal(random.randrange(10**8)) / 100)
        account = Account(base_balance=balance, history=past)
        record.edit_profile().accounts[f"A{n}"] = account
        record.edit_profile().loans[f"L{n}"] = Loan(base_amount=balance / 2)
    values = [*WORDS, -2, 1, 100, True, False, "12.5", "-0.25", *DAYS, [*WORDS[:2]], []]
    for name in random.sample(sorted(DECLARED.declared), random.randint(0, 7)):
        # Any value for any attribute: it may have been declared otherwise when it came.
        record.edit_profile().attributes[name] = random.choice(values)
    if random.random() < 0.5:
        points = random.choice([0, 3, 100])
        record.edit_profile().scores["churn"] = Score(points=points, at=0)
    for tag in random.sample(WORDS, random.randint(0, 3)):
        record.edit_profile().tags[tag] = 0
    return record


def _fill_lists(random: Random, record: Record) -> None:
    """A few things of each kind, some of them over."""
    profile = record.edit_profile()

    def several() -> range:
        return range(random.randrange(3))

    def amount() -> Decimal:
        return Decimal(random.randint(-100, 4_000)) / random.choice((1, 7, 100))

    def day() -> str | None:
        return random.choice([None, *DAYS, *OFFERED, "2026-02-31"])

    def word() -> str:
        return random.choice(WORDS)

    def time() -> int:
        return random.choice((-1, ORIGIN))

    for n in several():
        profile.accounts[f"B{n}"] = Account(
            kind=word(), branch=word(), balance=amount(), closed_at=random.choice((None, 5))
        )
    for n in several():
        profile.deposits[word()] = Deposit(
            base_principal=amount(),
            matures_on=day() or "",
            state=random.choice(("open", "redeemed")),
            placed_at=time(),
        )
        profile.holdings[word()] = Holding(
            product=word(), amount=amount(), base_amount=amount(), risk_level=n, matures_on=day()
        )
        profile.loans[f"M{n}"] = Loan(kind=word(), amount=amount(), due_on=day())
        profile.cards[word()] = Card(product=word(), limit=random.choice((None, amount())))
        key = f"C{n} {random.choice(('', '<'))}{word()}"
        profile.relations[key] = Relation(at=5, stands=random.random() < 0.7)
        profile.interests[word()] = Interest(at=time(), source=random.choice((None, word())))
        profile.benefits[word()] = Benefit(count=n, base_cost=amount(), last_at=time())
    profile.basics.family = [
        FamilyMember(relation=word(), birthday=random.choice((None, "2000-02-29", "2008-01-31")))
        for _ in several()
    ]


def random_facts(random: Random) -> Facts:
    """Rates and products, some of them of one class and one day."""
    book = FactBook()
    told: list[ReferenceFact] = []

    def fact(cls: type[ReferenceFact], data: Data) -> None:
        name = getattr(data, cls.kind())
        told.append(
            cls(
                specversion="1.0",
                id=f"{len(told)}",
                source="/test",
                subject=f"{cls.kind()}:{name}",
                time=from_millis(ORIGIN),
                data=data,
            )
        )

    if random.random() < 0.8:
        rate = Decimal(random.randint(1, 900)) / 100
        fact(ExchangeRateSet, ExchangeRateData(exchange_rate="USD", rate=rate))
    for name in random.sample(WORDS, 2):
        rate = Decimal(random.randint(-50, 900)) / 10_000
        fact(InterestRateSet, InterestRateData(interest_rate=name, rate=rate))
    for name in random.sample(WORDS, random.randint(0, 4)):
        first, last = random.choice([None, *OFFERED]), random.choice([None, None, *OFFERED])
        product = ProductFactData(
            product=name,
            product_class=random.choice(WORDS[:2]),
            title=random.choice([{"en": "HK"}, {"en": "A", "zh": "留学"}]),
            currency=random.choice([None, "HKD"]),
            risk_level=random.choice([None, 1, 3]),
            rate=random.choice([None, Decimal("0.05")]),
            offered_from=first,
            offered_until=last,
        )
        fact(ProductSet, product)
    for offset, one in enumerate(told):
        value = msgspec.json.encode(one)
        problem = book.take(Raw(one.topic, 0, offset, one.subject.encode(), value))
        assert not problem
    return book.snapshot()


class Maker:
    """Writes well-typed expressions over one event type."""

    def __init__(
        self,
        random: Random,
        event_type: str,
        lets: dict[str, Base] | None = None,
        *,
        aggregate: bool = False,
        steps: dict[str, str] | None = None,
        amendable: bool = False,
        listed: str = "",
    ) -> None:
        """`steps` are those of a sequence that come before: their event types. What is `amendable`
        sees events and aggregates alone; in the condition of a list (`listed`) the things' fields
        are seen, and the event's as `event.x`."""
        self.random = random
        self.event_type = event_type
        self.listed = listed
        self.fields = event_fields(event_type)
        if listed:
            of_event = {f"event.{name}": kind for name, kind in self.fields.items()}
            self.fields = LISTS[listed].fields | of_event
        self.lets = lets or {}
        self.aggregate = aggregate
        self.alone = aggregate or amendable
        self.steps = steps or {}

    def of(self, base: Base, depth: int = 3) -> str:
        match base:
            case Base.NUMBER:
                return self.number(depth)
            case Base.FLAG:
                return self.flag(depth)
            case _:
                return self.text()

    def _names(self, base: Base) -> list[str]:
        fields = self.fields.items()
        names = [name for name, kind in fields if kind.base is base and not kind.choices]
        for step, event_type in self.steps.items():
            seen = event_fields(event_type).items()
            names += [
                f"{step}.{name}" for name, kind in seen if kind.base is base and not kind.choices
            ]
        if self.aggregate:
            return names
        names += [name for name, kind in self.lets.items() if kind is base]
        if self.alone:
            return names
        profile = profile_fields().items()
        return names + [f"profile.{name}" for name, kind in profile if kind.base is base]

    def text(self) -> str:
        options = [*self._names(Base.TEXT), repr(self.random.choice(WORDS))]
        chosen = self.random.choice(options)
        if not self.alone and self.random.random() < 0.1:
            field = self.random.choice(("title_zh", "title_en", "product_class", "currency"))
            return f"{self._product()}.{field}"
        if self.random.random() < 0.1:
            return f"default({chosen}, {self.random.choice(options)})"
        return chosen

    def _product(self) -> str:
        random = self.random
        if random.random() < 0.5:
            return f"newest_product({random.choice(WORDS)!r})"
        key = random.choice([*self._names(Base.TEXT), repr(random.choice(WORDS))])
        return f"product({key})"

    def number(self, depth: int = 3) -> str:
        random = self.random
        literals = ["0", "3", "100", "0.5", "200_000", "12.3456"]
        if not self.aggregate:  # sums of those are rounded in another order by the twin
            literals += ["0.000000000001", "9" * 24]
        if not self.alone:
            literals += ["profile.scores.churn", "default(profile.scores.score_1, 7)"]
            literals += ["default(attributes.number, 1)", "attributes.amount", "attributes.decimal"]
            total, ago = random.choice(("base_assets", "base_loans")), random.randint(1, 12)
            literals += [f"month_end({total}, {ago})"]
            literals += [] if self.aggregate or self.listed else ["hour", "weekday"]
            literals += ["fx('USD')", f"rate({random.choice(WORDS)!r})"]
            literals += [f"{self._product()}.{random.choice(('rate', 'risk_level'))}"]
        if days := [] if self.aggregate else self._names(Base.DAY):
            function = random.choice(("days_until", "days_since"))
            literals.append(f"{function}({random.choice(days)})")
        if not depth or random.random() < 0.3:
            return random.choice(self._names(Base.NUMBER) + literals)
        lower = depth - 1
        match random.randint(0, 8):
            case 8 if not (self.alone or self.listed):
                return self.gathered()
            case 0:
                return f"-{self.number(lower)}"
            case 1:
                return f"abs({self.number(lower)})"
            case 2:
                return f"round({self.number(lower)}, {random.randint(0, 8)})"
            case 3:
                return f"default({self.number(lower)}, {self.number(lower)})"
            case 4 | 5 if not (self.aggregate or self.listed):
                return random_aggregate(random)
            case _:
                return f"({self.number(lower)} {random.choice('+-*/')} {self.number(lower)})"

    def gathered(self, *, anything: bool = False) -> str:
        """Something made of a list: a number, or whether there is anything."""
        random = self.random
        listed = random.choice(sorted(LISTS))
        of_list = LISTS[listed]
        lets = {name: base for name, base in self.lets.items() if name not in of_list.fields}
        inside = Maker(random, self.event_type, lets, steps=self.steps, listed=listed)
        # What a condition alone sees is no value.
        plain = {
            name: kind for name, kind in of_list.fields.items() if name not in of_list.where_only
        }
        names = ["count", "distinct", "share"]
        numbers = [name for name, kind in plain.items() if kind.base is Base.NUMBER]
        names += ["sum", "avg", "min", "max", "share"] if numbers else []
        name = "any" if anything else random.choice(names)
        arguments = [listed]
        if name == "distinct":
            named = [name for name, kind in plain.items() if kind.base is not Base.FLAG]
            arguments.insert(0, random.choice(named))
        elif name not in ("any", "count") and numbers and random.random() < 0.8 + (name != "share"):
            arguments.insert(0, random.choice((f"{numbers[0]} * 2", *numbers, "default(3, 4)")))
        if random.random() < 0.7:
            arguments.append(f"where={inside.flag(1)}")
        if name == "share":
            arguments.append(f"of={inside.flag(1)}")
        return f"{name}({', '.join(arguments)})"

    def flag(self, depth: int = 3) -> str:
        random = self.random
        lower = depth - 1
        if not depth or random.random() < 0.3:
            return self._atom()
        match random.randint(0, 2):
            case 0:
                return f"({self.flag(lower)} and {self.flag(lower)})"
            case 1:
                return f"({self.flag(lower)} or {self.flag(lower)} or {self.flag(lower)})"
            case _:
                return f"(not {self.flag(lower)})"

    def _atom(self) -> str:
        random = self.random
        order, equal = random.choice(ORDER), random.choice(("==", "!="))
        within = random.choice(("in", "not in"))
        words = random.sample(WORDS, 2)
        options = [
            lambda: f"({self.number(2)} {order} {self.number(2)})",
            lambda: f"({self.number(1)} {order} {self.number(1)} {order} {self.number(1)})",
            lambda: f"({self.text()} {equal} {self.text()})",
            lambda: f"({self.text()} {within} {words})",
            lambda: f"({self.number(1)} {within} [0, 100, 0.5])",
            lambda: f"known({random.choice(list(self.fields))})",
            lambda: random.choice([*self._names(Base.FLAG), "true", "false"]),
        ]
        if not (self.alone or self.listed):
            options.append(lambda: self.gathered(anything=True))
        if days := self._names(Base.DAY):
            options.append(lambda: f"({random.choice(days)} {order} {random.choice(DAYS)!r})")
        if not self.alone:
            options += [
                lambda: f"({self.text()} {within} tags)",
                lambda: f"({self._product()}.offered_from {order} {random.choice(DAYS)!r})",
                lambda: f"(attributes.number {order} {self.number(1)})",
                lambda: f"({self.text()} {equal} attributes.text)",
                lambda: f"(attributes.date {order} {random.choice(DAYS)!r})",
                lambda: f"(attributes.boolean {equal} true)",
                lambda: f"({self.text()} {within} attributes.texts)",
                lambda: f"known(attributes.{random.choice(sorted(DECLARED.declared))})",
            ]
        return random.choice(options)()


def random_sequence(
    random: Random, among: Sequence[str] = TYPES
) -> tuple[dict[str, Any], dict[str, str]]:
    """A sequence as a rule says it, and its steps' names and event types."""
    types: dict[str, str] = {}
    steps: list[dict[str, str]] = []
    for name in random.choice((["one"], ["one", "other"])):
        event_type = random.choice(among)
        inside = Maker(random, event_type, aggregate=True, steps=types)
        step = {"name": name, "on": event_type}
        if random.random() < 0.5:
            step["if"] = inside.flag(random.randint(0, 2))
        steps.append(step)
        types = types | {name: event_type}
    return {"within": random.choice(("1d", "30d", "90d")), "steps": steps}, types


def _varying(value: str) -> str:
    """A constant as no aggregate refuses it."""
    return f"default({value}, {value})" if value[0] in "'0123456789" else value


def random_aggregate(random: Random, types: Sequence[str] = TYPES) -> str:
    """An aggregate over one of the event types."""
    names = ["count", "sum", "avg", "min", "max", "stddev", "distinct", "first", "last", "share"]
    names.append("streak")
    name = random.choice(names)
    event_type = random.choice(types)
    inside = Maker(random, event_type, aggregate=True)
    span = random.choice(SPANS)
    arguments = [event_type, span]
    if name == "streak":
        breakers = ", ".join(random.sample(TYPES, random.randint(1, 2)))
        arguments = [event_type, random.choice(("30d", "90d")), f"without=[{breakers}]"]
    elif name == "distinct":
        arguments.insert(0, _varying(inside.text()))
    elif name == "share":
        arguments += [f"of={inside.flag(1)}"]
        if random.random() < 0.5:
            arguments.insert(0, _varying(inside.number(1)))
    elif name != "count":
        arguments.insert(0, _varying(inside.number(1)))
    if random.random() < 0.5:
        arguments.append(f"where={inside.flag(1)}")
    if random.random() < 0.4:
        arguments.append("prior=true")
    elif name != "streak" and (prior := _PRIOR.get(span)) and random.random() < 0.4:
        arguments.append(f"prior={prior}")
    if name in ("avg", "stddev"):
        arguments.append(f"at_least={random.randint(2, 3)}")
    return f"{name}({', '.join(arguments)})"
