"""Reference data and organisation: the last fact of each, from the global topics.

A worker keeps one FactBook; every chunk is stepped with one immutable snapshot of it, which the
position names by the offsets it goes up to, so that an oracle makes the same one again.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from schemas.decode import BrokenEventError, UnknownTypeError, decode_fact
from schemas.envelope import Data
from schemas.events.campaign import Broadcast
from schemas.events.reference import TOPIC_OF_KIND, ExchangeRateData, ProductFactData
from streams.announced import Announced, announced
from streams.durations import DAY_MS
from streams.inputs import Raw

MAX_ANNOUNCED = 1_000
"""Of `bank.campaign`, which keeps 90 days."""
_SAME_FOR = 30 * DAY_MS
"""A name that comes again after so long is another campaign: the journal does not go back so far
that the topic would have forgotten the first."""


class Facts(Struct, frozen=True):
    """What holds at a moment."""

    offsets: Mapping[str, int] = field(default_factory=dict)
    """Topic → the offset up to which, not including it, its facts are in here."""
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Kind (`product`) → id → its data, see schemas/events/reference.py."""
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    """Currency → units of the base currency for one of it."""
    products: Mapping[str, Sequence[ProductFactData]] = field(default_factory=dict)
    """Class → its products, the newest first: by the day from which they are offered."""
    announced: Mapping[str, Announced] = field(default_factory=dict)
    """Name → what customers are told of, also what is over or lies ahead."""


NO_FACTS = Facts()


class FactBook:
    """Takes the messages of the global topics, each topic's in the order of offsets."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Data]] = {}
        self._offsets: dict[str, int] = {}
        self._changed: set[str] = set()
        self._announced: dict[str, Announced] = {}
        self._snapshot = NO_FACTS

    def take(self, raw: Raw) -> str:
        """Apply one message. Returns what is wrong with it, without a value, if anything is: then
        the last good fact of its key stays in force."""
        self._offsets[raw.topic] = raw.offset + 1
        if raw.key is None:
            return "it has no key, so nobody knows what it is about"
        key = raw.key.decode(errors="replace")
        kind, _, name = key.partition(":")
        if (topic := TOPIC_OF_KIND.get(kind, raw.topic)) != raw.topic:
            return f"it belongs to {topic}"
        if raw.value is None:
            if self._kinds.get(kind, {}).pop(name, None) is not None:
                self._changed.add(kind)
            self._announced.pop(key, None)
            return ""
        try:
            fact = decode_fact(raw.value)
        except UnknownTypeError:
            return "its type is not known"
        except BrokenEventError as error:
            return str(error)
        if fact.subject != key:
            return "the Kafka key is not the fact's subject"
        if isinstance(fact, Broadcast) and (problem := self._announce(fact, raw.offset)):
            return problem
        self._kinds.setdefault(kind, {})[name] = fact.data
        self._changed.add(kind)
        return ""

    def skip(self, topic: str, end: int) -> None:
        """What stood in a topic up to `end` is over and was deleted: it counts as taken."""
        self._offsets[topic] = end

    def _announce(self, fact: Broadcast, offset: int) -> str:
        """What was announced keeps its time and its place when it is corrected."""
        said, before = announced(fact, offset), self._announced.get(fact.subject)
        if before is not None and abs(said.at - before.at) <= _SAME_FOR:
            said = replace(before, data=said.data, last_day=said.last_day)
        elif before is None and len(self._announced) >= MAX_ANNOUNCED:
            return f"more than {MAX_ANNOUNCED:,} campaigns are announced: take some back first"
        self._announced[fact.subject] = said
        return ""

    def snapshot(self) -> Facts:
        """What holds now; the same object until something was taken."""
        before = self._snapshot
        if self._offsets == before.offsets:
            return before
        kinds, rates, told = dict(before.kinds), before.rates, before.announced
        for kind in self._changed:
            kinds[kind] = MappingProxyType(dict(self._kinds[kind]))
        if "exchange_rate" in self._changed:
            rates = MappingProxyType(_rates(kinds["exchange_rate"]))
        products = before.products
        if "product" in self._changed:
            products = MappingProxyType(_by_class(kinds["product"].values()))
        self._changed.clear()
        if told != self._announced:
            told = MappingProxyType(dict(self._announced))
        self._snapshot = Facts(dict(self._offsets), kinds, rates, products, told)
        return self._snapshot


def _by_class(products: Iterable[ProductFactData]) -> dict[str, Sequence[ProductFactData]]:
    found: dict[str, list[ProductFactData]] = {}
    newest = sorted(products, key=lambda one: (one.offered_from or "", one.product), reverse=True)
    for one in newest:
        found.setdefault(one.product_class, []).append(one)
    return {name: tuple(several) for name, several in found.items()}


def _rates(facts: Mapping[str, ExchangeRateData]) -> dict[str, Decimal]:
    return {currency: fact.rate for currency, fact in facts.items()}
