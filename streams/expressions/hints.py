"""What to write instead of what people write who know no programming.

Looked for in what is no expression alone, so that nothing that can be read is ever refused here.
"""

import re
from decimal import Decimal
from typing import NamedTuple

from streams.expressions.spoken import SPOKEN, sign


class Hint(NamedTuple):
    column: int
    """From 1 in the text."""
    message: str


BARE_DAY = re.compile(r"(?<![\w.])[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?![\w.])")
_GROUPED = re.compile(r"(?<![\w.])[0-9]{1,3}(?:,[0-9]{3})+(?![\w.])")
_WORDS = re.compile(
    r"""(?P<day>(?<![\w.])[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?![\w.]))
    |(?P<percent>(?<![\w.])[0-9]+(?:\.[0-9]+)?\s*%)
    |(?P<range>(?<![\w.])[0-9][0-9_]*\.{2,3}[0-9][0-9_]*(?![\w.]))
    |(?P<thousands>(?<![\w.])[0-9][0-9_]*(?:\.[0-9]+)?[kK](?!\w))
    |(?P<money>(?<![\w.])[0-9][0-9_]*(?:\.[0-9]+)?\s*(?!AND|NOT)[A-Z]{3}(?!\w))
    |(?P<distinct>(?<![\w.])count\s*\(\s*distinct(?!\w))
    |(?P<like>(?<![\w.])(?:like|LIKE|contains|matches)(?!\w))
    |(?P<notin>(?<![\w.])notin(?!\w))
    |(?P<next>(?<![\w.])next\s+(?:[0-9]+\s+)?(?:day|week|month|quarter|year)s?(?!\w))
    |(?P<ahead>(?<![\w.])months\s+-?[0-9]+\s+to\s+-?[0-9]+(?!\w))
    |(?P<length>(?<![\w.])[0-9][0-9_.]*(?![eE][0-9+-]|[xXoObBjJ])[A-Za-z]\w*)
    |(?P<apart>(?<![\w.])[0-9]+\s+(?:[smhdw]|(?:second|minute|hour|day|week)s?)(?!\w))
    |(?P<months>(?<![\w.])[0-9]+\s+months?(?!\w))
    |(?P<calendar>(?<![\w.])(?:this|last)\s+(?:day|week|quarter|year)s?(?!\w))
    |(?P<between>(?<![\w.])(?:between|BETWEEN)(?!\w))
    |=\s*(?P<way>in)(?!\w|\s*\[)
    |(?P<capitals>(?<![\w.])(?:AND|OR|NOT|IN)(?!\w))
    |(?P<arrow>=>|=<)
    |(?P<triple>===)
    |(?P<equals>(?<![=!<>])=(?!=))
    |(?P<spoken>(?<![\w.])"""
    + SPOKEN
    + r"(?!\w))",
    re.VERBOSE,
)
_SIDE_BY_SIDE = re.compile(
    r"(?<![\w.])(?!(?:and|or|not|in|is|if|else)\s)[a-z][a-z0-9_.]*\s+(?P<value>['0-9])"
)
_UNFINISHED = re.compile(r"(?:(?<!\w)(?:and|or|not|in)|[-+*/<>=!,]+)\s*\Z")
_UNBEGUN = re.compile(r"\s*(?:(?:and|or|in)(?!\w)|[*/<>=!,]+)")
_NOTHING_BETWEEN = re.compile(r"(?<!\w)(?P<one>and|or|not|in)\s+(?P<other>and|or)(?!\w)")
_SAID = {
    "length": "write a length as a whole number and s, m, h, d or w, as in 30d",
    "apart": "write a length in one word, as in 30d",
    "months": "write whole months as last 3 months, or a length as 90d",
    "calendar": "of the calendar there are months, as in this month; else write 7d or 365d",
    "ahead": "months are counted back from this one, as in months -3 to 0",
    "distinct": "different values are counted by distinct(country, card.settled, 7d)",
    "like": "a text is compared as a whole, as in purpose == 'salary'",
    "money": "write the amount alone; its currency is asked beside it, as in currency == 'USD'",
    "next": "a window looks back; what lies ahead is asked as in days_until(matures_on) <= 30",
    "notin": "write not in",
    "way": "a text stands in quotes, 'in'",
    "between": "write 1 <= x <= 3",
    "triple": "write == to compare",
    "equals": "write == to compare",
}


def hint(text: str, column: int) -> Hint | None:
    """In a text without quotes that is no expression, as is seen at a column."""
    for match in _WORDS.finditer(text):
        kind = match.lastgroup or ""
        found, at = match[kind], match.start(kind) + 1
        if kind == "equals" and at != column:  # where= is one, too
            continue
        return Hint(at, _SAID.get(kind) or _written(kind, found))
    return missing(text)


def _written(kind: str, found: str) -> str:
    match kind:
        case "capitals":
            return f"write {found.lower()}"
        case "arrow":
            return f"write {found[::-1]}"
        case "spoken":
            return f"write {sign(found)} for {found}"
        case "day":
            return quoted_day(found)
        case "range":
            low, high = found.split("..")
            return f"write {low} <= x <= {high.lstrip('.')}"
        case "thousands":
            return f"write {Decimal(found[:-1]) * 1000:.0f}"
    share = Decimal(found.rstrip("% \t")) / 100
    return f"write {found} as {share:f}"


def quoted_day(found: str) -> str:
    year, month, day = found.split("-")
    return f"write a day in quotes, as in '{year}-{month:0>2}-{day:0>2}'"


def day(text: str) -> Hint | None:
    """A day without quotes, which reads as a difference."""
    match = BARE_DAY.search(text)
    return None if match is None else Hint(match.start() + 1, quoted_day(match[0]))


def missing(text: str) -> Hint | None:
    """Where something is missing before a word, or behind it."""
    if match := _UNFINISHED.search(text):
        return Hint(match.start() + 1, f"something is missing behind {match[0].strip()}")
    if match := _UNBEGUN.match(text):
        return Hint(1, f"something is missing before {match[0].strip()}")
    if match := _NOTHING_BETWEEN.search(text):
        one, other = match["one"], match["other"]
        return Hint(match.start("other") + 1, f"something is missing between {one} and {other}")
    if match := _SIDE_BY_SIDE.search(text):
        return Hint(
            match.start("value") + 1, "something is missing before this, such as == or a comma"
        )
    return None


def thousands(text: str) -> Hint | None:
    """A number whose thousands stand behind commas."""
    match = _GROUPED.search(text)
    if match is None:
        return None
    plain = match[0].replace(",", "_")
    return Hint(match.start() + 1, f"write {plain} or {plain.replace('_', '')}")
