"""Dead letters as tables and lines, without their content."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from typing import Any

from rich.table import Table

from agents.letters.finding import Kept
from agents.terminal import plain
from schemas.dead_letters import Category, Reason
from schemas.envelope import from_millis
from schemas.place import Place

Kind = tuple[str, Category, Reason]


def kind_of(kept: Kept) -> Kind:
    return kept.letter.topic, kept.letter.category, kept.letter.reason


def letters_table(some: Iterable[Kept], replayed: Container[Place]) -> Table:
    """A line a letter."""
    table = _table("refused (UTC)", "category", "reason", "detail", "original", "event", "bytes")
    table.add_column("replayed")
    for kept in some:
        letter = kept.letter
        table.add_row(
            f"{from_millis(kept.received):%Y-%m-%d %H:%M:%S}",
            letter.category,
            letter.reason,
            plain(letter.detail),
            plain(str(letter.place)),
            plain(f"{letter.event_type} {letter.event_id}".strip() or "-"),
            f"{letter.length:,}",
            "yes" if kept.at in replayed else "",
        )
    return table


def counts_table(counts: Mapping[Kind, int], replayed: Mapping[Kind, int]) -> Table:
    """A line for each topic, category and reason."""
    table = _table("topic", "category", "reason", "letters", "replayed")
    for kind, count in sorted(counts.items()):
        topic, category, reason = kind
        done = replayed.get(kind, 0)
        table.add_row(plain(topic), category, reason, f"{count:,}", f"{done:,}")
    return table


def letters_data(some: Iterable[Kept], replayed: Container[Place]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "letter": str(kept.at),
            "refused": from_millis(kept.received).isoformat(),
            "category": kept.letter.category,
            "reason": kept.letter.reason,
            "detail": kept.letter.detail,
            "original": str(kept.letter.place),
            "event_type": kept.letter.event_type or None,
            "event_source": kept.letter.event_source or None,
            "event_id": kept.letter.event_id or None,
            "bytes": kept.letter.length,
            "replayed": kept.at in replayed,
        }
        for kept in some
    ]


def counts_data(counts: Mapping[Kind, int], replayed: Mapping[Kind, int]) -> list[dict[str, Any]]:
    names = ("topic", "category", "reason", "letters", "replayed")
    return [
        dict(zip(names, (*kind, count, replayed.get(kind, 0)), strict=True))
        for kind, count in sorted(counts.items())
    ]


def counted(counts: Mapping[Kind, int]) -> str:
    """`malformed 3, time 1`"""
    by_category: Counter[str] = Counter()
    for (_, category, _), count in counts.items():
        by_category[category] += count
    return ", ".join(f"{name} {count:,}" for name, count in sorted(by_category.items()))


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False)
