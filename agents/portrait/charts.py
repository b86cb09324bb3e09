"""Amounts at a glance: what they consist of, and how they went."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.text import Text

from agents.portrait.sparks import sparks
from streams.portrait.parts import Amount, Fact

_CLASSES = {
    "accounts": ("█", "cyan"),
    "deposits": ("▓", "blue"),
    "wealth": ("▒", "magenta"),
    "funds": ("░", "green"),
    "insurance": ("▞", "yellow"),
    "other": ("▚", "white"),
}
"""Each with a pattern of its own: not everybody sees colours, and a file has none."""
_BAR = 40


def composition(facts: Sequence[Fact]) -> Text | None:
    """What the assets consist of; None if that is one thing, or nothing."""
    held = {
        fact.name: fact.value.amount
        for fact in facts
        if fact.name in _CLASSES and isinstance(fact.value, Amount) and fact.value.amount > 0
    }
    if len(held) < 2:
        return None
    whole = sum(held.values(), Decimal(0))
    bar, legend = Text(), Text()
    for name, amount in held.items():
        glyph, colour = _CLASSES[name]
        bar.append(glyph * max(1, round(amount / whole * _BAR)), colour)
        legend.append(f"  {glyph}", colour).append(f" {name} {amount / whole:.0%}")
    return bar + legend


def course(by_month: Mapping[str, Amount], base: str) -> Text:
    """▅▆█ 720,000 in 2026-08 → 709,787 CNY in 2026-11, -1.4 %: the months in their order."""
    sums = [one.amount for one in by_month.values()]
    (first, *_), (*_, last) = by_month, by_month
    text = Text(sparks(sums, max(sums)), "green")
    if first != last:
        text.append(f" {sums[0]:,.0f} in {first} →", "default")
    text.append(f" {sums[-1]:,.0f} {base}".rstrip() + f" in {last}", "default")
    if first != last and sums[0] > 0:
        change = sums[-1] / sums[0] - 1
        text.append(f", {change:+.1%}", "red" if change < 0 else "green")
    return text
