"""A sentence says what its condition does: conditions that differ are never said alike."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings

from tests.rules.test_compiled import RANDOMS
from tests.rules.test_explain import said

ATOMS = ("channel == 'app'", "known(device)", "channel == 'web'")
VALUES = tuple(product((False, True), repeat=len(ATOMS)))
Formula = tuple[str, tuple[bool, ...]]
"""As it is written, and what it is for each of the atoms' VALUES."""


def formula(random: Any, depth: int) -> Formula:
    if depth == 0 or random.random() < 0.2:
        atom = random.randrange(len(ATOMS))
        return ATOMS[atom], tuple(values[atom] for values in VALUES)
    one, table = formula(random, depth - 1)
    if random.random() < 0.4:
        return f"not ({one})", tuple(not value for value in table)
    other, others = formula(random, depth - 1)
    if random.random() < 0.5:
        both = zip(table, others, strict=True)
        return f"({one}) and ({other})", tuple(a and b for a, b in both)
    either = zip(table, others, strict=True)
    return f"({one}) or ({other})", tuple(a or b for a, b in either)


PLACES = {
    "if": lambda text: {"if": text},
    "unless": lambda text: {"if": "channel == 'app' or known(device)", "unless": text},
    "let": lambda text: {"let": {"z": text}, "if": "z"},
    "window": lambda text: {"if": f"count(logged.in, 7d, where={text}) > 3"},
    "share": lambda text: {"if": f"share(logged.in, 7d, of={text}) > 0.5"},
    "list": lambda text: {
        "if": "any(cards, where="
        + text.replace("channel", "event.channel").replace("device", "event.device")
        + ")"
    },
}


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=5, deadline=None)
@given(random=RANDOMS)
def test_conditions_of_different_truth_are_said_differently(place: str, random: Any) -> None:
    told: dict[str, tuple[Formula, str]] = {}
    for _ in range(100):
        text, table = formula(random, 3)
        rule = {"on": "logged.in", "let": {}, "unless": None} | PLACES[place](text)
        for sentence in said(**rule).values():
            (other, others), _ = told.setdefault(sentence, ((text, table), place))
            assert others == table, f"{text} and {other} are said alike: {sentence}"


@pytest.mark.parametrize(
    ("condition", "en", "zh"),
    [
        (
            "not (channel == 'app' and known(device)) or channel == 'web'",
            "if not all of these hold: (the channel is “the app”; the device is known), or the "
            "channel is “the web”: ",
            "如果以下各项并非全部成立：（渠道为「手机银行」；设备已知），或渠道为「网页」：",
        ),
        (
            "not (channel == 'app' or known(device)) and channel == 'web'",
            "if none of these holds: (the channel is “the app”; the device is known), and the "
            "channel is “the web”: ",
            "如果以下各项均不成立：（渠道为「手机银行」；设备已知），且渠道为「网页」：",
        ),
        (
            "channel == 'app' and (known(device) or (channel == 'web' and not known(device)))",
            "if the channel is “the app”, and (the device is known, or (the channel is “the web”, "
            "and the device is unknown)): ",
            "如果渠道为「手机银行」，且（设备已知，或（渠道为「网页」，且设备未知））：",
        ),
        (
            "not not (channel in ['app'] and 'golf' not in tags)",
            "if the channel is “the app”, and the customer does not have the tag “golf”: ",
            "如果渠道为「手机银行」，且客户没有标签「golf」：",
        ),
        (
            "any(deposits, where=not (rate > 1 or principal > 5)) and not any(loans)",
            "if the customer has time deposits (where none of these holds: (the rate is more than "
            "1; the principal is more than 5)), and the customer has no loans: ",
            "如果客户有定期存款（限以下各项均不成立：（利率大于1；本金大于5）），且客户没有贷款：",
        ),
        (
            "count(logged.in, 7d, where=channel == 'web' or channel == 'app' and known(device))"
            " > 1",
            "the number of logins (where the channel is “the web”, or (the channel is “the app”, "
            "and the device is known)) within the last 7 days is more than 1: ",
            "过去7天内登录（限渠道为「网页」，或（渠道为「手机银行」，且设备已知））的次数大于1：",
        ),
        (
            "sum(base_principal, deposits, where=rate > 1) + 5 "
            "> 2 * round(profile.base_loans + 3, 0)",
            "the customer's time deposits (where the rate is more than 1) plus 5 is more than 2 "
            "times ((the customer's total of loans plus 3) rounded to a whole number): ",
            "客户定期存款（限利率大于1）的本金（本币）合计加5大于2乘以（（客户的贷款总额加3）取整后的值）：",
        ),
    ],
)
def test_groups_in_words(condition: str, en: str, zh: str) -> None:
    told = said(**{"on": "logged.in", "let": {}, "unless": None, "if": condition})
    assert en in told["en"]
    assert zh in told["zh"]


def test_a_name_of_the_rule_is_not_said_like_a_text() -> None:
    rule = {"on": "logged.in", "let": {"phone": "device"}, "unless": None}
    name, text = (said(**rule, **{"if": one}) for one in ("device != phone", "device != 'phone'"))
    assert "if the device is not ‘phone’: " in name["en"]
    assert "if the device is not “phone”: " in text["en"]
    assert "如果设备不是『phone』：" in name["zh"]
    assert "如果设备不是「phone」：" in text["zh"]
