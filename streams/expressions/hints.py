"""What to write instead of what people write who know no programming.

Looked for in what is no expression alone, so that nothing that can be read is ever refused here.
"""

import re
from typing import NamedTuple


class Hint(NamedTuple):
    column: int
    """From 1 in the text."""
    message: str


_GROUPED = re.compile(r"(?<![\w.])[0-9]{1,3}(?:,[0-9]{3})+(?![\w.])")
_WORDS = re.compile(
    r"""(?P<length>(?<![\w.])[0-9][0-9_.]*(?![eE][0-9+-]|[xXoObBjJ])[A-Za-z]\w*)
    |(?P<apart>(?<![\w.])[0-9]+\s+(?:[smhdw]|(?:second|minute|hour|day|week)s?)(?!\w))
    |(?P<months>(?<![\w.])[0-9]+\s+months?(?!\w))
    |(?P<calendar>(?<![\w.])(?:this|last)\s+(?:day|week|quarter|year)s?(?!\w))
    |(?P<between>(?<![\w.])(?:between|BETWEEN)(?!\w))
    |(?P<capitals>(?<![\w.])(?:AND|OR|NOT|IN)(?!\w))
    |(?P<arrow>=>|=<)
    |(?P<triple>===)
    |(?P<equals>(?<![=!<>])=(?!=))""",
    re.VERBOSE,
)
_SAID = {
    "length": "write a length as a whole number and s, m, h, d or w, as in 30d",
    "apart": "write a length in one word, as in 30d",
    "months": "write whole months as last 3 months, or a length as 90d",
    "calendar": "of the calendar there are months, as in this month; else write 7d or 365d",
    "between": "write 1 <= x <= 3",
    "triple": "write == to compare",
    "equals": "write == to compare",
}


def hint(text: str, column: int) -> Hint | None:
    """In a text without quotes that is no expression, as is seen at a column."""
    for match in _WORDS.finditer(text):
        kind, found, at = match.lastgroup or "", match[0], match.start() + 1
        if kind == "equals" and at != column:  # where= is one, too
            continue
        message = {"capitals": f"write {found.lower()}", "arrow": f"write {found[::-1]}"}.get(kind)
        return Hint(at, message or _SAID[kind])
    return None


def thousands(text: str) -> Hint | None:
    """A number whose thousands stand behind commas."""
    match = _GROUPED.search(text)
    if match is None:
        return None
    plain = match[0].replace(",", "_")
    return Hint(match.start() + 1, f"write {plain} or {plain.replace('_', '')}")
