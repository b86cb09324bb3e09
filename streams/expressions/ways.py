"""What to write instead of what rules do not see, or what no language of ours has."""

import ast
from collections.abc import Iterable

from streams.expressions.parse import nearest

_INSTEAD = {
    "birthday": "a rule can wait for it, wait: {days: 7, before: birthday, every: year}",
    "counterparty_name": "counterparty_bank and counterparty_country are seen",
    "employer": "the occupation is seen",
    "text": "that it came is seen, not what it says",
    "note": "that it came is seen, not what it says",
}
"""A field that identifies a person → what a rule can do."""
_CLOCK = "hour and weekday are the event's own, as in hour < 6 or weekday in [6, 7]"
WEEKDAY = "a weekday is from 1, Monday, to 7, Sunday"
_FLAGS = {"yes": "true", "no": "false"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OF_NOTHING = "known(x) asks if there is a value, and not known(x) if there is none"
_TOTAL = "all that the customer has is profile.base_assets, less loans profile.base_net"
_WHOLE = "a text is compared as a whole, as in purpose == 'salary'"
FUNCTIONS = {
    **dict.fromkeys(("date", "day", "to_date"), "a day is a text in quotes, as in '2026-01-31'"),
    **dict.fromkeys(
        ("today", "now"),
        "days are counted from the event, days_since(profile.opened_on), days_until(matures_on)",
    ),
    **dict.fromkeys(("len", "size"), "how many there are is count(…)"),
    **dict.fromkeys(("mean", "average", "median"), "a mean is avg(…, at_least=5)"),
    **dict.fromkeys(("hour", "weekday", "dayofweek", "time"), _CLOCK),
    **dict.fromkeys(("contains", "startswith", "endswith", "like", "lower", "upper"), _WHOLE),
    **dict.fromkeys(("isnull", "is_null", "isnone", "isempty"), _OF_NOTHING),
    **dict.fromkeys(("datediff", "date_diff"), "write days_until(matures_on) or days_since(…)"),
    "tags.contains": "a tag is asked as in 'golf' in tags",
    **dict.fromkeys(("exists", "has"), "known(x) asks for a value, any(deposits) for things"),
    **dict.fromkeys(("coalesce", "ifnull", "nvl"), "default(x, 0) fills in what is unknown"),
}
"""What other languages have → how we write it."""
INSTEAD = {
    **dict.fromkeys(("assets", "aum", "wealth", "networth", "net_worth", "total_assets"), _TOTAL),
    **dict.fromkeys(("null", "none", "nil", "unknown", "empty", "undefined"), _OF_NOTHING),
    **dict.fromkeys(("time", "timestamp", "dayofweek", "day_of_week", "weekend"), _CLOCK),
    **dict.fromkeys(_DAYS, WEEKDAY),
    **{one: f"write {flag}, or a text in quotes, '{one}'" for one, flag in _FLAGS.items()},
    "age": "a rule can wait for a birthday, wait: {days: 7, before: birthday, every: year, "
    "turns: 60}; the age of the family is asked as in any(family, where=age < 18)",
    "birthday": _INSTEAD["birthday"],
    "customer": "a rule is for all customers: choose by tags, profile.tier or an attribute",
    "score": "a score is profile.scores.churn",
    "today": "days are counted from the event, as in days_until(matures_on)",
}
"""A name that is no field of ours → what to ask instead."""
CONSTRUCTS: dict[type[ast.expr], str] = {
    ast.IfExp: "there is no if … else: write (a and x) or (not a and y)",
}
"""What Python has and the language has not → what to write."""


def function(written: str) -> str:
    """What to write in place of a function of another language; empty if none is known."""
    return FUNCTIONS.get(written) or FUNCTIONS.get(written.rpartition(".")[2].lower(), "")


def nothing(message: str) -> str:
    """Of a value that is none."""
    return f"{message}: {_OF_NOTHING}"


def unseen(written: str, name: str) -> str:
    """Of a field that identifies a person."""
    message = f"{written} identifies a person: rules do not see it"
    return f"{message}; {_INSTEAD[name]}" if name in _INSTEAD else message


def sensitive(written: str) -> str:
    """Of an attribute that is declared so."""
    other = "declare another beside it that is not, such as a class or a range"
    return f"{written} is sensitive: rules do not see it; {other}"


def undeclared(name: str, known: Iterable[str]) -> str:
    """Of an attribute."""
    near = nearest(name, known).replace("mean ", "mean attributes.")
    other = near or "; the file of attributes declares what the bank adds itself"
    return f"attributes.{name} is not declared{other}"
