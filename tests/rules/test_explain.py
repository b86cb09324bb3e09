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
from streams.choices import WORDS
from streams.expressions import nodes
from streams.expressions.calls import AGGREGATES
from streams.expressions.catalogue import event_fields, profile_fields
from streams.expressions.lists import LISTS, MADE
from streams.expressions.lookups import NUMBERS, THINGS, fact_fields
from streams.expressions.nodes import Base
from streams.rules.checked import CheckedRule, check_rule
from streams.rules.explain import explain, words
from streams.rules.explain.chinese import CHINESE
from streams.rules.explain.conditions import SAID
from streams.rules.explain.english import ENGLISH
from streams.rules.explain.events import EVENTS
from streams.rules.explain.naming import Names
from streams.rules.explain.phrases import Phrases
from streams.rules.explain.words import ATTACHMENTS, FIELDS, FIELDS_OF, FLAGS
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
    assert phrases.calls.keys() - {"newest_product_named"} == NUMBERS.keys() | THINGS.keys()
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
    for name in ("say", "dates", "compared", "days", "besides", "gates", "actions", "units"):
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
    there |= {("profile", name) for name in profile_fields()}
    assert words.LISTS.keys() == LISTS.keys()
    assert FIELDS_OF.keys() <= there
    kinds = [kind for catalogue in catalogues for kind in catalogue.values()]
    flags = {name for one in catalogues for name, kind in one.items() if kind.base is Base.FLAG}
    assert flags == FLAGS.keys()
    choices = {one for kind in kinds for one in kind.choices}
    assert choices - WORDS.keys() == set()


@LANGUAGES
def test_no_two_fields_of_a_thing_are_called_alike(phrases: Phrases) -> None:
    catalogues = {
        **{one: event_fields(one) for one in RULE_TYPES},
        **{one: fact_fields(one) for one in THINGS.values()},
    }
    called = [[Names(phrases, [one]).field(name) for name in catalogues[one]] for one in catalogues]
    listed = {"profile": profile_fields()} | {name: one.fields for name, one in LISTS.items()}
    names = Names(phrases)
    called += [[names.field_of(one, name) for name in listed[one]] for one in listed]
    assert [one for one in called if len({*one}) < len(one)] == []


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
    return explain(checked, TITLED, holidays_ahead=5)


def test_a_rule_in_words() -> None:
    assert said() == {
        "en": "When a transfer is completed, if the direction is “out”, and the amount in the base "
        "currency is more than 4 times ‘mean’, unless the customer's tier is "
        "“basic”: a task for the relationship manager, “Big” (priority normal, due within 1 day); "
        "the tag “watched” is given. Here ‘mean’ is the average of the amount in the base currency "
        "over completed transfers (where the direction is “out”) within the last 90 days (if there "
        "are at least 5). After firing for a customer it is quiet for 30 days.",
        "zh": "当一笔转账完成，如果方向为「转出」，且金额（本币）大于4乘以『mean』，"
        "除非客户的等级为「basic」：给客户经理派任务「大额」（优先级：普通，1天内完成）；"
        "添加标签「watched」。其中『mean』是过去90天内转账（限方向为「转出」）"
        "的金额（本币）平均值（至少5次）。同一客户触发后30天内不再触发。",
    }


def test_a_rule_that_is_amended_says_so() -> None:
    told = said(unless=None, then={"alert": {"text": {"en": "A", "zh": "甲"}}}, amendable=True)
    assert told["en"].endswith(
        " It fires for a customer at most once in each stretch of 30 days, counted from 1970-01-01 "
        "UTC: where two stretches meet, it may fire twice within a short time. When a reversal or "
        "a late event changes what it saw, its tasks and alerts follow: they are taken back, "
        "amended or raised."
    )
    assert "同一客户每段内最多触发1次" in told["zh"]
    assert told["zh"].endswith("因冲正或迟到事件使其依据改变时，其任务和预警随之撤回、更正或补发。")
    assert "reversal" not in said()["en"]


QUIET = {"points": 50, "if": "count(logged.in, 30d) == 0", "reason": {"en": "A", "zh": "甲"}}
SEEN = {**QUIET, "if": "amount > 5 and count(logged.in, 30d) == 0"}


def score(signal: dict[str, Any]) -> dict[str, Any]:
    asked = {"name": "s", "threshold": 50, "release": 20, "signals": [signal]}
    return {"let": {}, "if": "true", "unless": None, "score": asked}


def dated(**wait: Any) -> dict[str, Any]:
    return {"on": "deposit.placed", "wait": wait, "let": {}, "if": "true"}


@pytest.mark.parametrize(
    ("changes", "en", "zh"),
    [
        (
            score(QUIET),
            " While none of these events comes, the score is reckoned again every 7 days, and the "
            "rule may fire then. ",
            "。这些事件均未发生期间，每7天重新计分一次，届时规则也可能触发。",
        ),
        (
            {"on": "holiday.approaching", "let": {}, "if": "true", "unless": None},
            " Holidays are told 5 business days before their first day off. After firing",
            "。节假日在首个休息日前5个工作日告知。",
        ),
        (
            dated(business_days=5, before="matures_on"),
            " Where the date is told later than that, it fires at once, until the date is over. ",
            "。若得知日期时已晚于此、而日期尚未过去，则立即触发。",
        ),
    ],
)
def test_when_it_is_looked_at_besides(changes: dict[str, Any], en: str, zh: str) -> None:
    told = said(**changes)
    assert en in told["en"]
    assert zh in told["zh"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        score(SEEN),
        dated(days=5, after="matures_on"),
        dated(days=0, before="matures_on"),
    ],
)
def test_when_it_is_not_looked_at_besides(changes: dict[str, Any]) -> None:
    told = said(**changes)["en"]
    assert not any(words in told for words in ("at once", "reckoned again", "Holidays"))


def test_a_greeting_in_words() -> None:
    greeting = {"occasion": "birthday", "channels": ["wechat", "sms"], "purpose": "service"}
    rule = RuleDefinition.model_validate(RULE | {"then": {"greeting": greeting}})
    checked = check_rule(rule, greetings=GREETINGS)
    assert isinstance(checked, CheckedRule)
    told = explain(checked)
    assert (
        "a greeting for “birthday” is chosen, to be sent by WeChat or text message (not by one "
        "that the customer has refused for “service”)."
    ) in told["en"]
    assert (
        "选定一条「birthday」问候语，供通过微信或短信发送（客户已拒绝用于「服务」的渠道除外）。"
    ) in told["zh"]
