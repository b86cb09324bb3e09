"""What the ids in a portrait are called: the relationship manager, products, branches."""

from collections.abc import Iterator

from msgspec.structs import replace

from agents.reading import ReadingError, read_topic
from agents.terminal import in_language
from config.wires import KafkaSettings
from schemas.events.reference import GLOBAL_TOPICS
from streams.facts import NO_FACTS, FactBook, Facts
from streams.portrait import masks
from streams.portrait.parts import Facts as Part
from streams.portrait.parts import Portrait, Table

_KINDS = ("rm", "product", "branch")
_BETWEEN = " · "
"""What a line of time puts between the things that it tells."""


def with_names(drawn: Portrait, facts: Facts, *, personal: bool) -> Portrait:
    """The portrait with a table of the names that facts have for its ids, at its end."""
    words = set(_words(drawn))
    rows = tuple(
        (kind, name, _name(facts, kind, name, personal=personal))
        for kind in _KINDS
        for name in sorted(words & facts.kinds.get(kind, {}).keys())
    )
    named = tuple(row for row in rows if row[2])
    return replace(drawn, parts=(*drawn.parts, Table("names", ("kind", "id", "name"), named)))


def facts_now(kafka: KafkaSettings) -> Facts:
    """Those in force; none where the topics cannot be read: then ids stay what they are."""
    book = FactBook()
    try:
        for topic in GLOBAL_TOPICS:
            for found in read_topic(kafka, topic):
                book.take(found.raw())
    except ReadingError:
        return NO_FACTS
    return book.snapshot()


def _name(facts: Facts, kind: str, name: str, *, personal: bool) -> str:
    fact = facts.kinds[kind][name]
    if kind != "rm":
        return in_language(fact.title)
    told = fact.name or ""
    return told if personal or not told else masks.head(told)


def _words(drawn: Portrait) -> Iterator[str]:
    for part in drawn.parts:
        values = (
            [fact.value for fact in part.facts]
            if isinstance(part, Part)
            else [value for row in part.rows for value in row]
        )
        for value in values:
            if isinstance(value, str):
                yield from value.split(_BETWEEN)
