"""Rules in words: everything that the language has is said in both languages, and reads well."""

import re
from typing import Any, get_args

import pytest
from hypothesis import given, settings

from schemas.attachments import Attachment
from schemas.attributes import AttributeDefinition
from schemas.effects import Action
from schemas.events import RULE_TYPES
from schemas.rule_parts import Text as Title
from schemas.rules import RuleDefinition
from streams.attributes import Attributes
from streams.expressions import nodes
from streams.expressions.calls import AGGREGATES
from streams.expressions.catalogue import event_fields, profile_fields
from streams.expressions.lists import LISTS, MADE
from streams.expressions.lookups import NUMBERS, THINGS, fact_fields
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.explain import explain, words
from streams.rules.explain.conditions import SAID
from streams.rules.explain.phrases import CHINESE, ENGLISH, Phrases
from streams.rules.explain.words import ATTACHMENTS, EVENTS, FIELDS, FIELDS_OF, VALUES
from tests.rules.maker import DECLARED
from tests.rules.test_compiled import RANDOMS, random_rule
from tests.shipped import GREETINGS, shipped_rules

LANGUAGES = pytest.mark.parametrize("phrases", [ENGLISH, CHINESE], ids=["en", "zh"])


def test_every_kind_of_node_has_words() -> None:
    named = {one.__name__ for one in vars(nodes).values() if _is_kind(one)}
    assert len(named) > 20
    assert named == {one.__name__ for one in SAID}


def _is_kind(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, nodes.Node) and one is not nodes.Node


@LANGUAGES
def test_every_aggregate_and_look_up_has_words(phrases: Phrases) -> None:
    assert phrases.aggregates.keys() == AGGREGATES.keys()
    assert phrases.calls.keys() == NUMBERS.keys() | THINGS.keys()
    assert phrases.lists.keys() == MADE.keys()


@LANGUAGES
def test_every_action_has_words(phrases: Phrases) -> None:
    assert phrases.actions.keys() == {*get_args(Action), "due", "attach"}


def test_every_attachment_has_words() -> None:
    assert ATTACHMENTS.keys() == {*get_args(Attachment)}
    told = said(then={"alert": {"text": {"en": "A", "zh": "甲"}, "attach": ["asset_summary"]}})
    assert "an alert, “Big” (severity normal, with a summary of assets)" in told["en"]
    assert "发出预警「大额」（级别：普通，附资产概览）" in told["zh"]


def test_both_languages_say_the_same_things() -> None:
    for name in ("say", "compared", "days", "gates", "actions", "units"):
        one, other = getattr(ENGLISH, name), getattr(CHINESE, name)
        assert one.keys() == other.keys()
        if name != "units":
            holes = {key: (_holes(one[key]), _holes(other[key])) for key in one}
            assert {key: pair for key, pair in holes.items() if pair[0] != pair[1]} == {}


def _holes(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


def test_every_event_type_field_and_choice_has_words() -> None:
    assert EVENTS.keys() == RULE_TYPES.keys()
    kinds_of_facts = ("interest_rate", "exchange_rate", *THINGS.values())
    catalogues = [
        *map(event_fields, RULE_TYPES),
        profile_fields(),
        *map(fact_fields, kinds_of_facts),
        *(one.fields for one in LISTS.values()),
    ]
    fields = {name for catalogue in catalogues for name in catalogue}
    assert fields - FIELDS.keys() == set()
    there = {(one.partition(".")[0], name) for one in RULE_TYPES for name in event_fields(one)}
    there |= {(one, name) for one, listed in LISTS.items() for name in listed.fields}
    assert words.LISTS.keys() == LISTS.keys()
    assert FIELDS_OF.keys() <= there
    kinds = [kind for catalogue in catalogues for kind in catalogue.values()]
    choices = {one for kind in kinds for one in kind.choices}
    assert choices - VALUES.keys() == set()


@settings(max_examples=200, deadline=None)
@given(RANDOMS)
def test_any_rule_can_be_said(random: Any) -> None:
    checked = check_rule(random_rule(random, 0), DECLARED)
    assert isinstance(checked, CheckedRule)
    told = explain(checked)
    assert told["en"].endswith(".")
    assert told["zh"].endswith("。")
    assert "{" not in told["en"] + told["zh"]


def test_the_shipped_rules_can_be_said() -> None:
    for rule in shipped_rules():
        checked = check_rule(rule, greetings=GREETINGS)
        assert isinstance(checked, CheckedRule)
        assert explain(checked)["zh"]


TITLED = Attributes(
    AttributeDefinition(name=name, type=name, title=title, sensitive=False)
    for name, title in (
        ("date", Title(en="Passport expires", zh="护照到期日")),
        ("number", Title(en="Referrals", zh="推荐客户数")),
    )
)
OUT = "direction == 'out'"
RULE: dict[str, Any] = {
    "id": "a",
    "version": 1,
    "title": {"en": "Big", "zh": "大额"},
    "kind": "risk",
    "owner": "tests",
    "status": "live",
    "on": "transfer.completed",
    "let": {
        "mean": "avg(base_amount, transfer.completed, 90d, at_least=5, where=direction == 'out')"
    },
    "if": "direction == 'out' and base_amount > 4 * mean",
    "unless": "profile.tier == 'basic'",
    "then": {"task": {"text": {"en": "A", "zh": "甲"}, "due": "1d"}, "tag": "watched"},
    "cooldown": "30d",
}


def said(**changes: Any) -> dict[str, str]:
    """The good rule with some keys changed, or left out where they are None."""
    kept = {key: value for key, value in (RULE | changes).items() if value is not None}
    checked = check_rule(RuleDefinition.model_validate(kept), TITLED)
    assert isinstance(checked, CheckedRule), checked
    return explain(checked, TITLED)


def test_a_rule_in_words() -> None:
    assert said() == {
        "en": "When a transfer is completed, if the direction is “out”, and the amount in the base "
        "currency is more than 4 times “mean”, unless the customer's tier is "
        "“basic”: a task for the relationship manager, “Big” (priority normal, due after 1 day); "
        "the tag “watched” is given. Here “mean” is the mean of the amount in the base currency "
        "over completed transfers (where the direction is “out”) within the last 90 days (if there "
        "are at least 5). After firing for a customer it is quiet for 30 days.",
        "zh": "当客户完成一笔转账，如果方向是「转出」，且金额（本币）大于4乘以「mean」，"
        "除非客户的客户等级是「basic」：给客户经理派任务「大额」（优先级：普通，1天内完成）；"
        "添加标签「watched」。其中「mean」是过去90天内转账（其中方向是「转出」）"
        "的金额（本币）平均值（至少5笔）。同一客户触发后30天内不再触发。",
    }


@pytest.mark.parametrize(
    ("changes", "en", "zh"),
    [
        (
            {"wait": {"for": "30m", "without": "logged.in"}},
            "When a transfer is completed, and then for 30 minutes there are no logins, if",
            "当客户完成一笔转账，且随后30分钟内没有登录，如果",
        ),
        (
            {
                "on": "deposit.placed",
                "wait": {"business_days": 3, "before": "matures_on"},
                "let": {},
                "if": "matures_on > '2026-01-31'",
            },
            "3 business days before the day of maturity, at 09:00, after a time deposit is placed, "
            "if the day of maturity is after “2026-01-31”",
            "存入定期存款后，在到期日前3个工作日（09:00），如果到期日晚于「2026-01-31」",
        ),
        (
            {
                "let": {},
                "if": "true",
                "unless": None,
                "score": {
                    "name": "churn",
                    "threshold": 50,
                    "release": 30,
                    "signals": [
                        {"points": 60, "if": "amount > 5", "reason": {"en": "A", "zh": "甲"}}
                    ],
                },
            },
            "When a transfer is completed, as soon as the score “churn” reaches 50 (and again once "
            "it was below 30), of 60 points if the amount is more than 5: a task",
            "当客户完成一笔转账，一旦评分「churn」达到50分（降到30分以下后可再次触发），"
            "计分：金额大于5计60分：",
        ),
        (
            {
                "let": {},
                "if": "share(base_amount, card.settled, 30d, of=category == '5641', "
                "where=country == 'CN') > 0.25",
            },
            "the share for which the merchant category is “5641” of the total of the amount in the "
            "base currency over settled card payments (where the country is “CN”) within",
            "过去30天内刷卡消费（其中国家或地区是「CN」）的金额（本币）合计中商户类别是「5641」的占比大于0.25",
        ),
        (
            {"let": {}, "if": "share(card.settled, this month, of=category == '5641') > 0.25"},
            "if the share for which the merchant category is “5641” of the number of settled card",
            "如果本月刷卡消费的次数中商户类别是「5641」的占比大于0.25",
        ),
        (
            {"let": {}, "if": "true", "unless": "amount > 1 or currency == 'USD'"},
            "When a transfer is completed, unless (the amount is more than 1, or the currency is",
            "当客户完成一笔转账，除非（金额大于1，或币种是「USD」）：",
        ),
        (
            {"let": {}, "if": "amount > 1 or amount < 0", "unless": "channel == 'app'"},
            "if (the amount is more than 1, or the amount is less than 0), unless the channel",
            "如果（金额大于1，或金额小于0），除非渠道是「app」：",
        ),
        (
            {"let": {}, "if": "count([rm.contacted, contact.made], 30d) > 3"},
            "the number of attempts to reach the customer or contacts by the relationship manager ",
            "过去30天内银行尝试联系或客户经理联系的次数",
        ),
        (
            {"on": "rm.contacted", "let": {}, "if": "channel == 'phone'"},
            "When the relationship manager contacts the customer, if",
            "当客户被客户经理联系，如果",
        ),
        (
            {"let": {}, "if": "round(amount / 3, 1) > 2 and round(round(amount / 3, 2), 0) > 1"},
            "if (the amount divided by 3) rounded to 1 decimal is more than 2, and ((the amount "
            "divided by 3) rounded to 2 decimals) rounded to a whole number is more than 1",
            "如果（金额除以3）保留1位小数后的值大于2，且（（金额除以3）保留2位小数后的值）取整后的值大于1",
        ),
        (
            {
                "on": "campaign.announced",
                "let": {"n": "count(card.settled, 30d, where=category == '7992')"},
                "if": "category == 'golf' and n > 1",
            },
            "if the category of the campaign is “golf”, and “n” is more than 1, unless the "
            "customer's tier is “basic”: a task for the relationship manager, “Big” (priority "
            "normal, due after 1 day); the tag “watched” is given. Here “n” is the number of "
            "settled card payments (where the merchant category is “7992”) within",
            "如果活动类别是「golf」，且「n」大于1，除非客户的客户等级是「basic」：",
        ),
        (
            {
                "on": "card.settled",
                "sequence": {
                    "within": "2h",
                    "steps": [{"name": "call", "on": "call.received", "if": "seconds > 5"}],
                },
                "let": {},
                "if": "call.seconds > 9 and category == '7992'",
            },
            "the customer calls (“call” (where the length of the call in seconds is more than 5)), "
            "if the length of the call in seconds of the earlier “call” is more than 9, and the "
            "merchant category is “7992”",
            "来电（记作「call」（其中通话秒数大于5）），如果此前「call」的通话秒数大于9，且商户类别",
        ),
        (
            {"let": {}, "if": "amount > 1 and (channel == 'app' or currency in ['USD', 'HKD'])"},
            "if the amount is more than 1, and (the channel is “app”, or the currency is",
            "如果金额大于1，且（渠道是「app」，或币种为「USD」、「HKD」之一）",
        ),
        (
            {
                "on": "product.redeemed",
                "let": {},
                "if": "any(holdings, where=holding == event.holding and days_until(matures_on) > 9)"
                " and share(base_amount, holdings, of=risk_level >= 4) > 0.5",
            },
            "if the customer has holdings (where the holding is the holding of the event, and the "
            "number of days until the day of maturity is more than 9), and the share for which the "
            "risk level is at least 4 of the total of the amount in the base currency over the "
            "customer's holdings is more than 0.5",
            "如果客户有持仓产品（其中持仓是本次事件的持仓，且距到期日的天数大于9），"
            "且客户持仓产品的金额（本币）合计中风险等级不少于4的占比大于0.5",
        ),
        (
            {
                "let": {},
                "if": "count(page.viewed, months -6 to -3) > count(page.viewed, this month)",
            },
            "the number of page views from 6 to 3 months ago is more than the number of page",
            "6至3个月前页面浏览的次数大于本月页面浏览的次数",
        ),
        (
            {
                "on": None,
                "wait": {"days": 1, "before": "birthday", "every": "lunar year"},
                "let": {},
                "if": "true",
            },
            "1 day before the birthday by the lunar calendar, every year, at 09:00, unless",
            "在生日（每年，按农历）前1天（09:00），除非",
        ),
        (
            {
                "on": None,
                "wait": {
                    "days": 60,
                    "before": "birthday",
                    "every": "year",
                    "of": ["son", "daughter", "ward"],
                    "turns": [18, 21],
                },
                "let": {},
                "if": "true",
            },
            "60 days before the birthday of a son or daughter or ward of every year, at 09:00, "
            "only when the years since then are 18, 21, unless",
            "在儿子或女儿或ward的生日（每年）前60天（09:00），仅限满18、21年，除非",
        ),
        (
            {
                "on": None,
                "wait": {"business_days": 1, "after": "attributes.date", "every": "year"},
                "let": {},
                "if": "attributes.number > 3",
            },
            "1 business day after the customer's “Passport expires” of every year, at 09:00, if "
            "the customer's “Referrals” is more than 3",
            "在客户的「护照到期日」（每年）后1个工作日（09:00），如果客户的「推荐客户数」大于3",
        ),
        (
            {"let": {"big": "amount > 5 or amount < 1", "small": "amount < 3"}, "if": "not big"},
            "if “big” is false, unless the customer's tier is “basic”: a task for the relationship "
            "manager, “Big” (priority normal, due after 1 day); the tag “watched” is given. Here "
            "“big” is whether (the amount is more than 5, or the amount is less than 1); “small” "
            "is whether the amount is less than 3.",
            "其中「big」表示是否（金额大于5，或金额小于1）；「small」表示是否金额小于3。",
        ),
    ],
)
def test_parts_in_words(changes: dict[str, Any], en: str, zh: str) -> None:
    told = said(**changes)
    assert en in told["en"]
    assert zh in told["zh"]


def test_a_rule_that_is_amended_says_so() -> None:
    told = said(unless=None, then={"alert": {"text": {"en": "A", "zh": "甲"}}}, amendable=True)
    assert told["en"].endswith(
        " It fires for a customer at most once in each stretch of 30 days, counted from 1970-01-01 "
        "UTC: where two stretches meet, twice within a short time. When a reversal or a late "
        "event changes what it saw, its tasks and alerts follow: they are taken back, amended or "
        "raised."
    )
    assert "同一客户每段内最多触发1次" in told["zh"]
    assert told["zh"].endswith("因冲正或迟到事件使其依据改变时，其任务和预警随之撤回、更正或补发。")
    assert "reversal" not in said()["en"]
