"""When a rule looks and what it waits for, in words as a person would say them."""

from typing import Any

import pytest

from tests.rules.test_explain import said

BARE: dict[str, Any] = {
    "let": {},
    "if": "true",
    "unless": None,
    "then": {"tag": "x"},
    "cooldown": None,
}
REASON = {"en": "A", "zh": "甲"}


def yearly(**wait: Any) -> dict[str, Any]:
    return {"on": None, "wait": {"every": "year", **wait}}


@pytest.mark.parametrize(
    ("changes", "en", "zh"),
    [
        (
            {
                "if": "amount > 5 or amount < 1",
                "wait": {"for": "30m", "without": "logged.in"},
            },
            "When a transfer is completed, if (the amount is more than 5, or the amount is less "
            "than 1), and if then for 30 minutes there are no logins: ",
            "当一笔转账完成，如果（金额大于5，或金额小于1），且随后30分钟内没有登录：",
        ),
        (
            {
                "on": "journey.started",
                "wait": {
                    "for": "30m",
                    "without": {
                        "on": ["journey.abandoned", "journey.completed"],
                        "where": "step != 'preview'",
                        "same": "attempt",
                    },
                },
            },
            "and if then for 30 minutes there are no abandoned journeys or completed journeys "
            "with the same attempt (where the step is not “preview”): ",
            "当客户开始办理业务，且随后30分钟内没有办理编号相同的业务放弃或业务完成"
            "（限步骤不是「preview」）：",
        ),
        (
            {"on": ["logged.in", "complaint.raised", "call.received"]},
            "When the customer logs in, raises a complaint or calls: ",
            "当客户登录、提出投诉或来电：",
        ),
        (
            {"on": ["logged.in", "complaint.raised", "rm.contacted"]},
            "When the customer logs in, the customer raises a complaint or the relationship "
            "manager contacts the customer: ",
            "当客户登录、客户提出投诉或客户经理联系客户：",
        ),
        (
            {
                "on": "card.settled",
                "sequence": {
                    "within": "2h",
                    "steps": [{"name": "call", "on": "call.received", "if": "seconds > 5"}],
                },
                "if": "call.seconds > 9 and category == '7992'",
            },
            "When a card payment is settled, and within 2 hours before it the customer calls "
            "(called ‘call’, where the length of the call in seconds is more than 5), if the "
            "length of the call in seconds of the earlier ‘call’ is more than 9, and the merchant "
            "category is “7992”: ",
            "当客户刷卡消费入账，且此前2小时内客户来电（记作『call』，限通话秒数大于5），"
            "如果此前『call』的通话秒数大于9，且商户类别为「7992」：",
        ),
        (
            {
                "sequence": {
                    "within": "1d",
                    "steps": [
                        {"name": "a", "on": "logged.in"},
                        {"name": "b", "on": "contact.made", "if": "not reached"},
                    ],
                },
                "if": "not b.reached",
            },
            "and within 1 day before it, one after the other, the customer logs in (called ‘a’) "
            "and the bank tries to reach the customer (called ‘b’, where the customer is not "
            "reached), if the customer is not reached (by the earlier ‘b’): ",
            "且此前1天内依次发生客户登录（记作『a』）、银行尝试联系客户（记作『b』，"
            "限未联系上客户），如果此前『b』未联系上客户：",
        ),
        (
            {
                "score": {
                    "name": "churn",
                    "threshold": 50,
                    "release": 30,
                    "signals": [
                        {"points": 60, "if": "amount > 5", "reason": REASON},
                        {"points": -1, "if": "amount > 5 or amount < 1", "reason": REASON},
                    ],
                },
            },
            "When a transfer is completed, as soon as the score “churn” reaches 50 (and again "
            "only after it was below 30): the tag “x” is given. The score is the sum of these: 60 "
            "points if the amount is more than 5; 1 point off if (the amount is more than 5, or "
            "the amount is less than 1).",
            "当一笔转账完成，一旦评分「churn」达到50分（低于30分后才可再次触发）：添加标签「x」。"
            "评分由以下各项累计：金额大于5，计60分；（金额大于5，或金额小于1），减1分。",
        ),
        (
            {"if": "true", "unless": "amount > 1 or currency == 'USD'"},
            "When a transfer is completed, unless (the amount is more than 1, or the currency is",
            "当一笔转账完成，除非（金额大于1，或币种为「USD」）：",
        ),
        (
            {"if": "amount > 1 or amount < 0", "unless": "channel == 'app'"},
            "if (the amount is more than 1, or the amount is less than 0), unless the channel",
            "如果（金额大于1，或金额小于0），除非渠道为「app」：",
        ),
        (
            {"let": {"big": "amount > 5 or amount < 1", "small": "amount < 3"}, "if": "not big"},
            "if ‘big’ is false: the tag “x” is given. Here ‘big’ is whether (the amount is more "
            "than 5, or the amount is less than 1); ‘small’ is whether the amount is less than 3.",
            "其中『big』表示是否（金额大于5，或金额小于1）；『small』表示是否金额小于3。",
        ),
        ({"limit": {"times": 1, "within": "7d"}}, "at most once within 7 days.", "最多触发1次。"),
        ({"limit": {"times": 2, "within": "1w"}}, "at most twice within 1 week.", "最多触发2次。"),
        ({"limit": {"times": 5, "within": "4w"}}, "at most 5 times within 4 weeks.", "触发5次。"),
    ],
)
def test_rules(changes: dict[str, Any], en: str, zh: str) -> None:
    told = said(**BARE | changes)
    assert en in told["en"]
    assert zh in told["zh"]


@pytest.mark.parametrize(
    ("changes", "en", "zh"),
    [
        (
            {"on": "deposit.placed", "wait": {"business_days": 3, "before": "matures_on"}},
            "After the customer places a time deposit, 3 business days before the day of maturity, "
            "at 09:00: ",
            "客户存入定期存款后，在到期日前3个工作日的09:00：",
        ),
        (
            {"on": "card.limit_changed", "wait": {"days": 0, "before": "temporary_until"}},
            "After a card's limit changes, on the last day of the temporary limit, at 09:00: ",
            "客户信用卡额度变更后，在临时额度截止日当天09:00：",
        ),
        (
            {"on": "card.limit_changed", "wait": {"business_days": 0, "before": "temporary_until"}},
            "on the last day of the temporary limit (if that is no business day, on the last one "
            "before it), at 09:00: ",
            "在临时额度截止日当天（如非工作日，则为其前最后一个工作日）09:00：",
        ),
        (
            {
                "on": "statement.issued",
                "wait": {"business_days": 0, "after": "due_on", "at": "10:30"},
            },
            "on the due day (if that is no business day, on the first one after it), at 10:30: ",
            "在到期还款日当天（如非工作日，则为其后第一个工作日）10:30：",
        ),
        (
            yearly(days=0, before="birthday"),
            "On the customer's birthday, at 09:00: ",
            "在客户每年的生日当天09:00：",
        ),
        (
            yearly(days=0, before="birthday", turns=60),
            "On the customer's 60th birthday, at 09:00: ",
            "在客户的60岁生日当天09:00：",
        ),
        (
            yearly(days=1, before="birthday", every="lunar year"),
            "1 day before the customer's birthday by the lunar calendar, at 09:00: ",
            "在客户每年的农历生日前1天的09:00：",
        ),
        (
            yearly(days=60, before="birthday", of="child"),
            "60 days before the birthday of a child, at 09:00: ",
            "在子女每年的生日前60天的09:00：",
        ),
        (
            yearly(days=60, before="birthday", of=["son", "daughter", "ward"], turns=[18, 21]),
            "60 days before the 18th or 21st birthday of a son, daughter or ward, at 09:00: ",
            "在儿子、女儿或ward的18或21岁生日前60天的09:00：",
        ),
        (
            yearly(business_days=5, before="opened_on", turns=[1, 2, 3, 11, 22]),
            "5 business days before the 1st, 2nd, 3rd, 11th or 22nd anniversary of the first day "
            "with the bank, at 09:00: ",
            "在开户日满1、2、3、11或22周年前5个工作日的09:00：",
        ),
        (
            yearly(business_days=1, after="attributes.date"),
            "1 business day after each anniversary of the customer's “Passport expires”, at 09:00",
            "在客户的「护照到期日」的每个周年日后1个工作日的09:00：",
        ),
    ],
)
def test_dates(changes: dict[str, Any], en: str, zh: str) -> None:
    test_rules(changes, en, zh)
