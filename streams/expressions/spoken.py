"""Comparisons as people say them, and the sign of each."""

_SIGNS = {
    **dict.fromkeys(
        ("more", "greater", "larger", "bigger", "higher", "above", "over", "exceeds"), ">"
    ),
    **dict.fromkeys(("less", "fewer", "smaller", "lower", "below", "under"), "<"),
    **dict.fromkeys(("equal", "equals"), "=="),
    "least": ">=",
    "most": "<=",
}
_DENIED = {">": "<=", "<": ">=", "==": "!=", ">=": "<", "<=": ">"}
SPOKEN = r"""(?:is\s+)?(?:(?:no|not)\s+)?(?:
    (?:more|greater|larger|bigger|higher|less|fewer|smaller|lower)\s+th[ae]n(?:\s+or\s+equal\s+to)?
    |at\s+(?:least|most)|equal(?:s|\s+to)?|exceeds
    |(?<=\s)(?:above|over|below|under)(?=\s+[0-9]))"""
"""A verbose pattern."""


def sign(spoken: str) -> str:
    """Of what SPOKEN found."""
    first, *others = (_SIGNS[one] for one in spoken.split() if one in _SIGNS)
    found = f"{first}=" if others else first
    return _DENIED[found] if {"no", "not"} & {*spoken.split()} else found
