"""Conditions in words, each as a person would say it."""

import pytest

from tests.rules.test_explain import said
from tests.rules.test_explain_parts import BARE


@pytest.mark.parametrize(
    ("on", "condition", "en", "zh"),
    [
        (
            "transfer.completed",
            "share(base_amount, card.settled, 30d, of=category == '5641', where=country == 'CN')"
            " > 0.25",
            "the share of the total of the amount in the base currency over settled card payments "
            "(where the country is “CN”) within the last 30 days for which the merchant category "
            "is “5641” is more than 0.25: ",
            "过去30天内刷卡消费入账（限国家或地区为「CN」）的金额（本币）合计中商户类别为「5641」"
            "的占比大于0.25：",
        ),
        (
            "transfer.completed",
            "count([rm.contacted, contact.made], 30d) > 3",
            "the number of attempts to reach the customer or contacts by the relationship manager "
            "within the last 30 days is",
            "过去30天内银行尝试联系或客户经理联系的次数大于3：",
        ),
        (
            "transfer.completed",
            "count(page.viewed, months -6 to -3) > count(page.viewed, months -13 to -13)",
            "the number of page views in the calendar months from 6 to 3 months ago is more than "
            "the number of page views in the calendar month 13 months ago: ",
            "6个月前至3个月前的自然月内页面浏览的次数大于13个月前的那个自然月内页面浏览的次数：",
        ),
        (
            "transfer.completed",
            "count(page.viewed, months -2 to 0) > 3",
            "page views since the beginning of the calendar month 2 months ago is more than 3: ",
            "自2个月前的月初至今页面浏览的次数大于3：",
        ),
        (
            "transfer.completed",
            "avg(amount, transfer.completed, 1d, prior=true, at_least=5) > 2",
            "completed transfers within the last day (this one not counted; if there are at least "
            "5) is more than 2: ",
            "过去1天内转账的金额平均值（不含本次；至少5次）大于2：",
        ),
        (
            "transfer.completed",
            "distinct(device, logged.in, 90d, prior=1d)"
            " > sum(amount, transfer.completed, 2d, prior=2h)",
            "different values of the device among logins within the last 90 days (the last day not "
            "counted) is more than the total of the amount over completed transfers within the "
            "last 2 days (the last 2 hours not counted): ",
            "过去90天内登录中不同设备的个数（不含最近1天）大于过去2天内转账的金额合计"
            "（不含最近2小时）：",
        ),
        (
            "contact.made",
            "streak(contact.made, 90d, without=contact.made, where=not reached) >= 3",
            "the number of attempts to reach the customer (where the customer is not reached) in "
            "a row, with no other attempts to reach the customer in between, within the last 90 "
            "days is at least 3: ",
            "过去90天内连续银行尝试联系（限未联系上客户）（其间没有其他银行尝试联系）的次数至少为3：",
        ),
        (
            "transfer.completed",
            "round(amount / 3, 1) > 2 and round(round(amount / 3, 2), 0) > 1",
            "if (the amount divided by 3) rounded to 1 decimal is more than 2, and ((the amount "
            "divided by 3) rounded to 2 decimals) rounded to a whole number is more than 1: ",
            "如果（金额除以3）保留1位小数后的值大于2，"
            "且（（金额除以3）保留2位小数后的值）取整后的值大于1：",
        ),
        (
            "transfer.completed",
            "1 <= amount and 3 > amount and channel not in ['app', 'web'] and currency not in "
            "['USD']",
            "if the amount is at least 1, and the amount is less than 3, and the channel is none "
            "of “app” and “web”, and the currency is not “USD”: ",
            "如果金额至少为1，且金额小于3，且渠道不是「app」、「web」中的任何一个，且币种不是「USD」：",
        ),
        (
            "transfer.completed",
            "profile.base_assets < 0.7 * month_end(base_assets, 1) and profile.tier == 'x'",
            "the customer's total of assets is less than 0.7 times the customer's total of assets "
            "at the end of the month 1 month ago, and the customer's tier is “x”: ",
            "如果客户的总资产小于0.7乘以客户1个月前月末的总资产，且客户的等级为「x」：",
        ),
        (
            "transfer.completed",
            "hour < 6 and weekday in [6, 7]",
            "if the hour of the day is less than 6, and the day of the week (1 is Monday) is 6 or",
            "如果当时的钟点（0至23时）小于6，且当天星期几（1为星期一）为6或7：",
        ),
        (
            "transfer.completed",
            "default(counterparty_country, default(currency, 'x')) == 'x'",
            "the other party's country (or, if unknown, the currency (or, if unknown, “x”)) is",
            "对方国家或地区（未知时按币种（未知时按「x」））为「x」：",
        ),
        (
            "product.purchased",
            "product(product).risk_level > product('P').risk_level",
            "if the risk level of the product is more than the risk level of product “P”: ",
            "如果产品的风险等级大于产品「P」的风险等级：",
        ),
        (
            "transfer.completed",
            "rm(profile.rm).team == team('T').lead and not rm('R').active "
            "and rm(profile.rm).active == true",
            "if the team of the customer's relationship manager is the lead of team “T”, and "
            "relationship manager “R” is not at work, and the customer's relationship manager is "
            "at work: ",
            "如果客户的现任客户经理的团队为团队「T」的负责人，且客户经理「R」不在岗，"
            "且客户的现任客户经理在岗：",
        ),
        (
            "transfer.completed",
            "rate('mortgage') > fx('USD') and newest_product('fund').title_zh == 'x'",
            "if the bank's rate for “mortgage” is more than the exchange rate of “USD”, and the "
            "Chinese title of the newest product of class “fund” is “x”: ",
            "如果「mortgage」的本行利率大于「USD」的汇率，且「fund」类最新产品的中文名称为「x」：",
        ),
        (
            "transfer.completed",
            "purpose in tags and channel not in tags and 'golf' in tags",
            "if the customer has the tag that the purpose names, and the customer does not have "
            "the tag that the channel names, and the customer has the tag “golf”: ",
            "如果客户有用途所指的标签，且客户没有渠道所指的标签，且客户有标签「golf」：",
        ),
        (
            "deposit.redeemed",
            "early and left < 5",
            "if the deposit is redeemed early, and the remaining amount is less than 5: ",
            "如果属提前支取，且剩余金额小于5：",
        ),
        (
            "contact.made",
            "reached == false and not default(reached, false)",
            "if the customer is not reached, and the customer is not reached (if unknown: true): ",
            "如果未联系上客户，且未联系上客户（未知时：是）：",
        ),
        (
            "relation.added",
            "not reverse and any(relations, where=reverse)",
            "if the relation is what the other is to the customer, and the customer has relations "
            "to other customers (where the relation is what the customer is to the other): ",
            "如果该关系为对方相对客户的身份，且客户有关系人（限该关系为客户相对对方的身份）：",
        ),
        (
            "product.redeemed",
            "any(holdings, where=holding == event.holding and days_until(matures_on) > 9)"
            " and share(base_amount, holdings, of=risk_level >= 4) > 0.5",
            "if the customer has holdings (where the holding is the holding of the event, and the "
            "number of days until the day of maturity is more than 9), and the share of the total "
            "of the amount in the base currency over the customer's holdings for which the risk "
            "level is at least 4 is more than 0.5: ",
            "如果客户有持仓产品（限持仓为本次事件的持仓，且距到期日的天数大于9），"
            "且客户持仓产品的金额（本币）合计中风险等级至少为4的占比大于0.5：",
        ),
        (
            "logged.in",
            "sum(limit * 2, cards) > sum(amount - 5, loans)",
            "if the total of (the limit times 2) over the customer's cards is more than the total "
            "of (the amount less 5) over the customer's loans: ",
            "如果客户银行卡的（额度乘以2）合计大于客户贷款的（金额减5）合计：",
        ),
        (
            "logged.in",
            "min(matures_on, deposits) < '2026-01-01' or max(matures_on, deposits) > '2027-01-01'",
            "if the day of maturity that comes first among the customer's time deposits is before "
            "“2026-01-01”, or the day of maturity that comes last among the customer's time "
            "deposits is after “2027-01-01”: ",
            "如果客户定期存款中最早的到期日早于「2026-01-01」，"
            "或客户定期存款中最晚的到期日晚于「2027-01-01」：",
        ),
        (
            "campaign.announced",
            "category == 'golf' and count(card.settled, 30d, where=category == '7992') > 1 "
            "and seats > 3",
            "if the category of the campaign is “golf”, and the number of settled card payments "
            "(where the merchant category is “7992”) within the last 30 days is more than 1, and "
            "the number of seats is more than 3: ",
            "如果活动类别为「golf」，且过去30天内刷卡消费入账（限商户类别为「7992」）的次数大于1，",
        ),
    ],
)
def test_conditions(on: str, condition: str, en: str, zh: str) -> None:
    told = said(**BARE | {"on": on, "if": condition})
    assert en in told["en"]
    assert zh in told["zh"]
