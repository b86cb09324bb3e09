"""Wrong rules: each refused with its file, line, column and a useful word."""

import os
import re
from pathlib import Path

import pytest

from agents.rules import read_rules
from config.load_rules import RuleFileErrors
from schemas.attributes import AttributeDefinition
from schemas.rule_parts import Text
from streams.attributes import Attributes
from streams.context import CoreSettings

GOOD = """\
id: a-rule
version: 1
title: {en: A, zh: 甲}
kind: risk
owner: Tests
status: live
on: transfer.completed
let:
  times: count(transfer.completed, 30d)
  total: >-
    sum(base_amount, transfer.completed,
        30d, where=direction == 'out')
if: base_amount > 100 and times >= 3
then:
  alert:
    text:
      en: "{times} transfers"
      zh: "{times} 笔"
cooldown: 1d
"""
CONDITION = "base_amount > 100 and times >= 3"

# What the condition is, the column in the file's line 13, and words of the message.
EXPRESSIONS = [
    ("base_amont > 100", 5, "base_amont is not known; did you mean base_amount?"),
    ("true and base_amount > amoun", 28, "did you mean amount?"),
    ("times", 5, "expected a condition (true or false), found a number"),
    ("base_amount > 'x'", 19, "expected a number to compare with, found a text"),
    ("currency > 'CNY'", 5, "> compares numbers and days, not a text"),
    ("direction == 'inn'", 18, "it can only be one of in, out; did you mean in?"),
    ("base_amount > 1e3", 19, "write a number plainly"),
    ("base_amount >", 17, "this is not an expression"),
    ("base_amount = 3", 17, "write == to compare"),
    ("base_amount === 3", 17, "write == to compare"),
    ("base_amount => 3", 17, "write >="),
    ("base_amount =< 3", 17, "write <="),
    ("base_amount > 5,000", 19, "write 5_000 or 5000"),
    ("base_amount > 5,500", 19, "write 5_500 or 5500"),
    ("base_amount > 1,250,000 and times > 3", 19, "write 1_250_000 or 1250000"),
    ("count(transfer.completed, 1d, where=amount > 5,500) > 3", 50, "write 5_500 or 5500"),
    ("count(page.viewed, 30D) > 3", 24, "write a length as a whole number and s, m, h, d or w"),
    ("count(page.viewed, 1.5d) > 3", 24, "write a length as a whole number and s, m, h, d or w"),
    ("count(page.viewed, 1y) > 3", 24, "write a length as a whole number and s, m, h, d or w"),
    ("count(page.viewed, 30 d) > 3", 24, "write a length in one word, as in 30d"),
    ("count(page.viewed, 30 days) > 3", 24, "write a length in one word, as in 30d"),
    ("count(page.viewed, 3 months) > 3", 24, "write whole months as last 3 months"),
    ("count(page.viewed, this week) > 3", 24, "of the calendar there are months, as in this mo"),
    ("count(page.viewed, 7d, prior=6d) > 3", 34, "prior leaves nothing of the window"),
    ("count(page.viewed, last month, prior=1d) > 3", 42, "prior is true here: a length belongs to"),
    ("streak(page.viewed, 7d, without=logged.in, prior=1d) > 3", 54, "prior is true here"),
    ("base_amount between 3 and 5", 17, "write 1 <= x <= 3"),
    ("direction == 'AND' AND amount > 3", 24, "write and"),
    ("NOT base_amount > 3", 5, "write not"),
    ("count(page.viewed, 1d, **x) > 3", 28, "** is not part of the language of rules"),
    ("any(deposits, **x)", 19, "** is not part of the language of rules"),
    ("amount.__class__ == 'x'", 5, "amount.__class__ is not known: amount has no parts"),
    ("times.real > 3", 5, "times.real is not known: times has no parts"),
    (
        "avg(amount, transfer.completed, 1d, at_least=99999999) > 3",
        50,
        "at_least is from 1 to 10,0",
    ),
    ("true or " * 600 + "true", None, "at most 2,000 characters, not 4,804"),
    ("(base_amount > 3", 5, "'(' was never closed"),
    ("base_amount > 3 && true", 21, "write and"),
    ("base_amount > ３", 19, "only a text in quotes may hold such a character"),
    ("currency == '人民币' and amoun > 3", 27, "amoun is not known"),
    ("base_amount ** 2 > 3", 5, "of arithmetic there is + - * and /"),
    ("base_amount is 3", 5, "compare with == and !="),
    ("amount.real > 3", 5, "amount.real is not known"),
    ("''.join(currency) == 'x'", 5, "there is no function ''.join"),
    ("[x for x in tags] == 1", 5, "this is not part of the language"),
    ("(lambda: true)()", 5, "there is no function"),
    ("__import__('os') == 1", 5, "there is no function __import__"),
    ("f'{amount}' == 'x'", 5, "this is not part of the language"),
    ("currency in ('CNY', 'USD')", 17, "after in comes tags, an attribute of texts, or a list"),
    ("currency in ['CNY', 3]", 25, "expected a text, found a number"),
    ("counterparty_country in ['HK' 'MO']", 35, "a comma is missing before this text"),
    ("currency == 'C'  \"NY\"", 22, "a comma is missing before this text"),
    ("currency in ['HKD', '''CNY''']", 25, "write a text in one pair of quotes, as in 'CN'"),
    ("currency in ['HKD', r'CNY']", 25, "write a text in one pair of quotes, as in 'CN'"),
    ("3 in tags", 5, "expected a text, found a number"),
    ("tags == 'x'", 13, "expected tags to compare with"),
    ("'x' == tags", 12, "expected a text to compare with, found tags"),
    ("profile.teir == 'gold'", 5, "profile.teir is not known to rules; did you mean tier?"),
    ("profile.name == 'x'", 5, "profile.name identifies a person: rules do not see it"),
    ("counterparty_name == 'x'", 5, "identifies a person"),
    ("attributes.segmnet == 'x'", 5, "segmnet is not declared; did you mean attributes.segm"),
    ("attributes.wealth == 'x'", 5, "attributes.wealth is sensitive: rules do not see it"),
    ("attributes.segment > 3", 26, "expected a text to compare with, found a number"),
    ("attributes.clubs == 'golf'", 25, "expected a list of texts to compare with, found a text"),
    ("'golf' in attributes.segment", 15, "expected a list of texts, found a text"),
    ("3 in attributes.clubs", 5, "expected a text, found a number"),
    ("cout(page.viewed, 1d) > 3", 5, "there is no function cout; did you mean count?"),
    ("count(campaign.announced, 30d) > 3", 11, "told to every customer at once: it is not counted"),
    ("count(page.viewd, 1d) > 3", 11, "expected an event type such as page.viewed; did you mean"),
    ("count(page.viewed) > 3", 5, "write it as count(page.viewed, 30d, where=…)"),
    ("count(page.viewed, 30) > 3", 24, "expected a length such as 1h or 30d"),
    ("count(page.viewed, 5s) > 3", 24, "a window is from 1m to 1830d long"),
    ("count(page.viewed, 9999d) > 3", 24, "a window is from 1m to 1830d long"),
    ("count(page.viewed, 1d, were=true) > 3", 28, "were is not known here"),
    ("count(page.viewed, 1d, where=amount > 3) > 3", 34, "amount is not known"),
    ("count(page.viewed, 1d, where=times > 3) > 3", 34, "only the event's own fields"),
    ("count(page.viewed, 1d, where=profile.tier == 'x') > 3", 34, "only the event's own fields"),
    ("count(page.viewed, 1d, where=count(page.viewed, 1d) > 1) > 3", 34, "inside another"),
    ("count(page.viewed, 1d, prior=3) > 3", 34, "prior is true, or a length such as 1d"),
    ("count(page.viewed, 1d, at_least=3) > 3", 37, "belongs to avg"),
    ("avg(amount, transfer.completed, 1d) > 3", 5, "avg says how many events it needs"),
    ("stddev(amount, transfer.completed, 1d, at_least=1) > 3", 5, "two at least, as in at_least=5"),
    ("count(page.viewed, months -3 to -6) > 3", 24, "months go forward, from -60 at most"),
    ("count(page.viewed, last 99 months) > 3", 24, "months go forward, from -60 at most"),
    ("count(page.viewed, last year) > 3", 24, "this is not an expression"),
    ("base_amount > last month", 19, "last month belongs inside an aggregate"),
    ("share(page.viewed, 1d) > 0.5", 5, "of what is it a share? Write it as share("),
    ("share(page.viewed, 1d, of=page) > 0.5", 31, "expected a condition (true or false), found a"),
    ("share(page.viewed, 1d, of=true, were=true) > 0.5", 37, "were is not known here"),
    ("count(page.viewed, 1d, of=true) > 3", 28, "of is not known here; write it as count("),
    ("first(amount, transfer.completed, 1d) == 'x'", 46, "expected a number to compare with"),
    ("last(direction, transfer.completed, 1d) == 'up'", 48, "it can only be one of in, out"),
    ("streak(logged.in, 7d) > 2", 5, "what breaks the streak? Write it as streak(logged.in, 7d, w"),
    ("streak(logged.in, 7d, without=page.viewd) > 2", 35, "did you mean page.viewed?"),
    (
        "streak(logged.in, this month, without=page.viewed) > 2",
        23,
        "a streak has a length",
    ),
    ("count(logged.in, 7d, without=page.viewed) > 2", 26, "without is not known here"),
    ("count(page.viewed, ３０d) > 3", 24, "only a text in quotes may hold such a character"),
    ("count(page.viewed, last ３ months) > 3", 29, "only a text in quotes may hold such"),
    ("profile.opened_on < '2026-02-31'", 25, "no calendar has the day 2026-02-31"),
    ("profile.opened_on < '２０26-02-01'", 25, "write a day as '2026-01-31'"),
    ("profile.opened_on in ['2026-01-31', '2025-02-29']", 41, "no calendar has the day 2025-02-29"),
    ("count(page.viewed, 1d, where=page == 'x', where=true) > 3", 47, "where stands twice"),
    ("share(page.viewed, 1d, of=true, of=true) > 0.5", 37, "of stands twice"),
    ("count(page.viewed, 1d, prior=true, prior=false) > 3", 40, "prior stands twice"),
    ("avg(amount, transfer.completed, 1d, at_least=2, at_least=3) > 3", 53, "at_least stands tw"),
    (
        "streak(logged.in, 7d, without=page.viewed, without=page.viewed) > 2",
        48,
        "without stands twice",
    ),
    ("any(deposit)", 9, "deposit is no list, and no event type; did you mean deposits?"),
    ("count(deposits, 30d) > 1", 21, "a list is what there is now and has no length"),
    ("any(page.viewed)", 9, "of events there is count(…) > 0; a list is asked as in any(deposits"),
    ("sum(deposits) > 3", 5, "write it as sum(base_principal, deposits, where=…)"),
    ("stddev(rate, deposits) > 3", 5, "stddev is of events; of a list there are any, count, sum"),
    ("sum(base_amount, deposits) > 3", 9, "not a field of deposits; that of the event is event.ba"),
    ("any(deposits, where=matures < '2026-01-31')", 25, "did you mean matures_on?"),
    (
        "any(cards, where=colour == 'x')",
        22,
        "not known of cards; cards have card, product, currency",
    ),
    (
        "any(deposits, where=times > 1 and rat > 0)",
        39,
        "rat is not known of deposits; did you mean",
    ),
    ("any(deposits, where=event.amont > 1)", 25, "did you mean event.amount?"),
    ("event.amount > 1", 5, "event.amount stands in a list's condition alone; here write amount"),
    (
        "count(transfer.completed, 30d, where=currency == event.currency) > 3",
        54,
        "a window is kept for all events alike, and not for what this one says; beside it compare "
        "currency == last(currency, …, prior=true), or with a step of a sequence, currency == step",
    ),
    ("any(deposits, where=any(loans))", 25, "a list is not asked inside a list's condition"),
    ("any(deposits, where=count(page.viewed, 1d) > 1)", 25, "give it a name with let"),
    ("count(page.viewed, 1d, where=any(deposits)) > 3", 34, "only the event's own fields"),
    ("min(age, family) < 18", 9, "age identifies a person: it is asked in where= and shown nowhe"),
    ("any(deposits, were=true)", 19, "were is not known here; write it as any(deposits, where=…)"),
    ("sum(currency, deposits) > 3", 9, "expected a number, found a text"),
    ("max(currency, deposits) == 'x'", 9, "expected a day or a number, found a text"),
    ("share(base_amount, holdings) > 0.5", 5, "of what is it a share? Write it as share("),
    ("deposits > 3", 5, "deposits is a list: ask it as in any(deposits) or count(deposits, where="),
    ("days_until(amount) > 3", 16, "expected a day, found a number"),
    ("days_until('2026-02-31') > 3", 16, "no calendar has the day 2026-02-31"),
    ("days_unti('2026-02-01') > 3", 5, "did you mean days_until?"),
    ("month_end(base_asets, 3) > 3", 15, "did you mean base_assets?"),
    ("month_end(profile.base_assets, 3) > 3", 5, "write it as month_end(base_assets, 3)"),
    ("month_end(base_assets, 0) > 3", 28, "so many months ago: 1 … 12"),
    ("month_end(base_assets, 2.5) > 3", 28, "so many months ago: 1 … 12"),
    ("month_end(base_assets, true) > 3", 28, "expected a number"),
    (
        "count(deposit.placed, 1d, where=month_end(base_assets, 3) > 3) > 1",
        37,
        "ends of months are not seen inside an aggregate",
    ),
    (
        "count(deposit.placed, 1d, where=days_until(matures_on) > 3) > 1",
        37,
        "days are counted from the event that is looked at, not inside an aggregate",
    ),
    ("rate(mortgage) > 0.03", 10, "mortgage is not known"),
    ("rat('mortgage') > 0.03", 5, "there is no function rat; did you mean rate?"),
    ("rate('mortgage', 3) > 0.03", 5, "write it as rate('mortgage')"),
    ("fx('usd') > 7", 8, "a currency is three capital letters, as in fx('USD')"),
    ("product('P1') == 'x'", 5, "ask for one of its fields, as in product(product).risk_level"),
    (
        "product('P1').risk_lvel > 3",
        5,
        "product has no field risk_lvel that rules see; did",
    ),
    ("newest_product('fund').title == 'x'", 5, "did you mean title_zh?"),
    ("rm(profile.rm).name == 'x'", 5, "rm has no field name that rules see"),
    ("branch(3).city == 'x'", 12, "expected a text, found a number"),
    ("count(page.viewed, 1d, where=rate('m') > 3) > 3", 34, "is not seen inside an aggregate"),
    ("sum(currency, transfer.completed, 1d) > 3", 9, "expected a number, found a text"),
    ("logged.in > 3", 5, "logged.in belongs inside an aggregate"),
    ("base_amount > 30d", 19, "30d belongs inside an aggregate"),
    ("round(amount, amount) > 3", 19, "round to 0 … 8 decimals"),
    ("known(amount > 3)", 11, "known asks for a value"),
    ("default(amount, 'x') > 3", 21, "expected a number, found a text"),
    ("(amount > 1) == (amount > 2)", 6, "conditions are joined with and, or, not"),
    ("count > 3", 5, "count is a function: count(page.viewed, 30d, where=…)"),
    ("not " * 60 + "true", None, "the expression is too large"),
    ("(" * 300 + "true" + ")" * 300, None, "this is not an expression"),
    ("base_amount > 20%", 19, "write 20% as 0.2"),
    ("share(page.viewed, 7d, of=true) > 2.5 % and amount > 3", 39, "write 2.5 % as 0.025"),
    (
        "count(page.viewed, months 0 to 3) > 3",
        24,
        "months are counted back from this one, as in",
    ),
    ("count(page.viewed, months 3 to 1) > 3", 24, "months are counted back from this one"),
    ("amount > 3 and", 16, "something is missing behind and"),
    ("amount > 3 and times >", 26, "something is missing behind >"),
    ("or amount > 3", 5, "something is missing before or"),
    ("amount > 3 and or times > 3", 20, "something is missing between and and or"),
    ("profile.opened_on > 2026-01-01", 25, "write a day in quotes, as in '2026-01-01'"),
    ("profile.opened_on > 2026-1-1 and times > 3", 25, "write a day in quotes, as in '2026-01-01'"),
    ("profile.opened_on > 2026-12-31", 25, "found a number: write a day in quotes, as in '2026-12"),
    (
        "2026-12-31 < profile.opened_on",
        18,
        "found a day: write a day in quotes, as in '2026-12",
    ),
    ("days_until(2026-12-31) > 3", 16, "found a number: write a day in quotes, as in '2026-12-31'"),
    ("profile.opened_on > date('2026-01-01')", 25, "no function date: a day is a text in quotes"),
    ("profile.opened_on > today()", 25, "no function today: days are counted from the event"),
    ("len(deposits) > 1", 5, "there is no function len: how many there are is count(…)"),
    ("base_amount > 100万", 22, "write numbers in full, as in 5_000_000"),
    ("base_amount ＞ 100", 17, "only a text in quotes may hold such a character; write >"),
    ("currency == ‘CNY’", 17, "only a text in quotes may hold such a character; write '"),
    ("profile.birthday == '2000-01-01'", 5, "wait: {days: 7, before: birthday, every: year}"),
    ("profile.family == 'x'", 5, "family is a list: ask it as in any(family)"),
    ("profile.segment == 'x'", 5, "not known to rules; did you mean attributes.segment?"),
    ("profile.wedding_day == 'x'", 5, "a field that the bank adds itself is an attribute, attribu"),
    ("counterparty_name == 'x'", 5, "counterparty_bank and counterparty_country are seen"),
    ("attributes.wealth == 'x'", 5, "declare another beside it that is not, such as a class"),
    (
        "attributes.xyz == 'x'",
        5,
        "not declared; the file of attributes declares what",
    ),
    ("false", 5, "this is never true"),
    (
        "base_amount > 100 and currency == 'CNY' and base_amount < 50",
        49,
        "this is never true: base_amount > 100 and base_amount < 50 exclude each other",
    ),
    ("amount > 3 and (direction == 'in' and direction == 'out')", 43, "exclude each other"),
    ("direction != 'in' and direction != 'out' or amount > 3", 27, "exclude each other"),
    ("100 < base_amount < 50", 5, "100 < base_amount and base_amount < 50 exclude each other"),
    ("amount == 1 and amount in [2, 3]", 21, "exclude each other"),
    ("known(purpose) and not known(purpose)", 24, "exclude each other"),
    ("times > 5 and count(transfer.completed, 30d) < 3", 19, "exclude each other"),
    ("times < 0", 5, "this is never true: a count is 0 or more"),
    ("count(page.viewed, 30d) < 1 and count(page.viewed, 30d) > 0", 37, "exclude each other"),
    ("count(deposits) < 0", 5, "a count is 0 or more"),
    ("profile.loans < 0", 5, "a count is 0 or more"),
    ("abs(amount) <= -1", 5, "it is 0 or more"),
    ("streak(logged.in, 7d, without=page.viewed) >= 33", 5, "a streak is counted up to 32"),
    ("share(page.viewed, 7d, of=page == 'x') > 20", 5, "a share is from 0 to 1, and 20% is 0.2"),
    ("round(share(deposits, of=rate > 0), 2) > 1", 5, "a share is from 0 to 1"),
    ("count(page.viewed, 1d, where=page == 'x' and page == 'y') > 3", 50, "exclude each other"),
    ("any(deposits, where=rate > 1 and rate < 0)", 38, "rate > 1 and rate < 0 exclude each other"),
    (
        "times == 0",
        5,
        "never true: the event that is looked at is counted, too: prior=true leaves",
    ),
    (
        "base_amount > max(base_amount, transfer.completed, 90d)",
        5,
        "never true: the event that is looked at is counted, too: prior=true leaves",
    ),
    (
        "times > 0 and min(base_amount, transfer.completed, this month) > base_amount",
        19,
        "counted, too: prior=true leaves it out",
    ),
    ("weekday in [0, 6]", 17, "0 is never there: a weekday is from 1, Monday, to 7, Sunday"),
    ("hour not in [22, 24]", 22, "24 is never there: an hour is from 0 to 23"),
    (
        "distinct('direction', transfer.completed, 90d) > 1",
        14,
        "'direction' is always the same: expected a field; did you mean direction, without quotes?",
    ),
    ("last('currencies', transfer.completed, 90d) == 'USD'", 10, "; did you mean currency?"),
    ("sum(3, transfer.completed, 30d) > 5", 9, "3 is always the same: expected a field"),
    ("distinct('product_class', holdings) > 2", 14, "did you mean product_class, without quotes?"),
    ("known('direction') and times > 3", 11, "did you mean direction, without quotes?"),
    ("known(3)", 11, "3 is always the same"),
    ("base_amount != base_amount", 5, "never true: base_amount != base_amount"),
    ("base_amount > amount and amount > base_amount", 30, "exclude each other"),
    ("golf in tags", 5, "golf is not known; a text stands in quotes, 'golf'"),
    ("currency == CNY", 17, "CNY is not known; a text stands in quotes, 'CNY'"),
    ("currency in ['USD', CNY]", 25, "a text stands in quotes, 'CNY'"),
    ("rate(mortgage) > 3", 10, "mortgage is not known; a text stands in quotes, 'mortgage'"),
    (
        "count(page.viewed, 7d, where=page == funds) > 3",
        42,
        "only the event's own fields are seen inside an aggregate; a text stands in quotes, 'funds",
    ),
    ("base_amount == base_amont", 20, "base_amont is not known; did you mean base_amount?"),
    ("hour(time) < 6", 5, "no function hour: hour and weekday are the event's own, as in hour < 6"),
    ("month(profile.opened_on) == 3", 5, "there is no function month"),
    ("hour >= 24", 5, "never true: an hour is from 0 to 23"),
    ("weekday == 0", 5, "never true: a weekday is from 1, Monday, to 7, Sunday"),
    (
        "count(page.viewed, 7d, where=hour < 6) > 3",
        34,
        "only the event's own fields are seen inside",
    ),
    ("purpose.startswith('sal')", 5, "a text is compared as a whole, as in purpose == 'salary'"),
    ("tags.contains('golf')", 5, "a tag is asked as in 'golf' in tags"),
    ("purpose like '%salary%'", 13, "a text is compared as a whole"),
    ("purpose == None", 16, "there is no None: known(x) asks if there is a value"),
    ("amount > 1 if direction == 'in' else amount > 5", 5, "there is no if … else: write"),
    ("profile.opened_on - 3 > 5", 5, "found a day: write days_until(profile.opened_on)"),
    ("currency notin ['CNY']", 14, "write not in"),
    ("amount > 100000 USD", 14, "write the amount alone; its currency is asked beside it"),
    ("amount > 100 AND currency == 'USD'", 18, "write and"),
    ("base_amount > 500k", 19, "write 500000"),
    ("base_amount > 1.5K", 19, "write 1500"),
    ("base_amount in 100..500", 20, "write 100 <= x <= 500"),
    ("count(page.viewed, next month) > 3", 24, "a window looks back; what lies ahead is asked as"),
    ("count(distinct page, page.viewed, 7d) > 3", 5, "different values are counted by distinct("),
    ("base_amount > ¥500000", 19, "write an amount alone, as in 500_000: base_amount is in the"),
    ("base_amount > $500000", 19, "write an amount alone, as in 500_000: base_amount is in the"),
    ("base_amount > 100 且 direction == 'in'", 23, "write and for 且"),
    ("base_amount > 100 或者 direction == 'in'", 23, "write or for 或者"),
    ("amount is more than 100000", 12, "write > for is more than"),
    ("amount is greater than 5", 12, "write > for is greater than"),
    ("amount greater than or equal to 5", 12, "write >= for greater than or equal to"),
    ("amount is less than 5 and times > 3", 12, "write < for is less than"),
    ("amount is at least 5", 12, "write >= for is at least"),
    ("amount is not at most 5", 12, "write > for is not at most"),
    ("amount is no more than 5", 12, "write <= for is no more than"),
    ("amount exceeds 5", 12, "write > for exceeds"),
    ("amount less then 5", 12, "write < for less then"),
    ("amount is equal 5", 12, "write == for is equal"),
    ("amount is above 5", 12, "write > for is above"),
    ("currency is not equal to 'CNY'", 14, "write != for is not equal to"),
    ("not direction 'out'", 19, "something is missing before this, such as == or a comma"),
    ("times > 3 and amount 5", 26, "something is missing before this, such as == or a comma"),
    ("amount ≥ 100", 12, "write >= for ≥"),
    ("amount ≤ 100", 12, "write <= for ≤"),
    ("direction ≠ 'in'", 15, "write != for ≠"),
    ("base_amount 大于 100", 17, "write > for 大于"),
    ("base_amount 不超过 100", 17, "write <= for 不超过"),
    ("currency == 人民币", 17, "only a text in quotes may hold such a character"),
    (
        "customer == 'C1'",
        5,
        "a rule is for all customers: choose by tags, profile.tier or an attri",
    ),
    ("assets > 1_000_000", 5, "not known; all that the customer has is profile.base_assets"),
    ("profile.aum > 1_000_000", 5, "not known to rules; all that the customer has is profile.base"),
    ("profile.age > 60", 5, "a rule can wait for a birthday"),
    ("score.churn > 50", 5, "score.churn is not known; write profile.scores.churn"),
    ("holdings.product_class == 'fund'", 5, "ask it as in any(holdings, where=product_class == …)"),
    ("counterparty_country == null", 29, "known(x) asks if there is a value"),
    ("weekday == 'Monday'", 16, "found a text: a weekday is from 1, Monday, to 7, Sunday"),
    ("weekday in ['Sat', 'Sun']", 17, "found a text: a weekday is from 1, Monday, to 7, Sunday"),
    ("weekday == Sunday", 16, "Sunday is not known; a weekday is from 1, Monday, to 7, Sunday"),
    ("direction == out", 18, "out is not known; a text stands in quotes, 'out'"),
    ("direction == in", 18, "a text stands in quotes, 'in'"),
    ("amount > 3 and direction != in and times > 3", 33, "a text stands in quotes, 'in'"),
    ("direction = in", 17, "a text stands in quotes, 'in'"),
    ("direction in [out]", 19, "out is not known; a text stands in quotes, 'out'"),
    ("customer.tier == 'gold'", 5, "customer.tier is not known; did you mean profile.tier?"),
    ("customer.assets > 3", 5, "assets is not known to rules; did you mean base_assets?"),
    ("customer.birthday > 3", 5, "wait: {days: 7, before: birthday, every: year}"),
    (
        "count(page.viewed, 1d, where=customer.tier == 'gold') > 3",
        34,
        "customer.tier is not known: only the event's own fields are seen inside an aggregate",
    ),
    ("tier == 'gold'", 5, "tier is not known; did you mean profile.tier?"),
    ("Tier == 'gold'", 5, "Tier is not known; did you mean profile.tier?"),
    ("any(deposits, where=tier == 'gold')", 25, "of deposits; did you mean profile.tier?"),
    ("any(deposits, where=profile.tier == 'gold' and rat > 1)", 52, "did you mean rate?"),
    ("base_assets > 3", 5, "base_assets is not known; did you mean profile.base_assets?"),
    ("birthday == '2000-01-01'", 5, "wait: {days: 7, before: birthday, every: year}"),
    ("yes", 5, "yes is not known; write true, or a text in quotes, 'yes'"),
    ("no", 5, "no is not known; write false, or a text in quotes, 'no'"),
    ("time > 5", 5, "hour and weekday are the event's own, as in hour < 6"),
    ("matures_on < '2027-01-01'", 5, "deposits and holdings have it: any(deposits, where=…)"),
    ("counterparty_country == 'China'", 29, "China is no code of a country: two capital letters"),
    ("counterparty_country in ['HK', 'MAC']", 36, "MAC is no code of a country"),
    ("any(accounts, where=currency == 'yuan')", 37, "yuan is no code of a currency: three capital"),
]

DECLARED = Attributes(
    AttributeDefinition(name=name, type=kind, title=Text(en="A", zh="甲"), sensitive=sensitive)
    for name, kind, sensitive in (
        ("segment", "text", False),
        ("clubs", "texts", False),
        ("wealth", "text", True),
    )
)

STEP = "{name: one, on: logged.in}"


def steps(step: str, condition: str = CONDITION) -> str:
    """A sequence of one step before the condition: lines 13 to 15, and 16."""
    return f"sequence:\n  within: 1d\n  steps: [{step}]\nif: {condition}"


def example(given: str) -> str:
    """What is given, from column 13 of line 21 on."""
    return f"examples:\n  - title: one\n    given: [{given}]\n    expect: []"


# What is replaced in the good rule, by what, the line and column it is told at, and words.
FILES = [
    ("on: transfer.completed", "on: transfer.complete", 7, 5, "did you mean transfer.completed?"),
    ("on: transfer.completed", "on: [logged.in, page.viewd]", 7, 1, "did you mean page.viewed?"),
    (
        "on: transfer.completed",
        "on: logged.in, page.viewed",
        7,
        5,
        "list, [logged.in, page.viewed]",
    ),
    ("on: transfer.completed", "on: logged.in or page.viewed", 7, 5, "list, [logged.in, page.v"),
    ("on: transfer.completed\n", "", 1, 1, "on: this key is missing"),
    ("status: live", "state: live", 6, 1, "state: not a key here; there are id, version"),
    ("status: live", "status: lively", 6, 9, "should be 'draft', 'shadow', 'live' or 'retired'"),
    ("status: live", "status: lively", 6, 9, "did you mean live?"),
    ("owner: ", "onwer: ", 5, 1, "did you mean owner?"),
    ("owner: ", "Owner: ", 5, 1, "did you mean owner?"),
    ("kind: risk", "kind: risky", 4, 7, "kind: should be"),
    ("version: 1", "version: one", 2, 10, "version: should be a whole number, without"),
    ("version: 1", "version: true", 2, 10, "version: should be a whole number, without quotes"),
    ("version: 1", 'version: "1"', 2, 10, "version: should be a whole number, without quotes"),
    ("version: 1", "version: 1.0", 2, 10, "version: should be a whole number, without quotes"),
    ("cooldown: 1d", 'amendable: "yes"', 19, 12, "amendable: should be true or false, without q"),
    ("cooldown: 1d", 'rollout: "20"', 19, 10, "rollout: should be a whole number"),
    ("owner: Tests", 'owner: "  "', 5, 8, "owner: nothing but blanks: write something"),
    ("title: {en: A", 'title: {en: " "', 3, 13, "title.en: nothing but blanks"),
    ("on: transfer.completed", "on: [logged.in, logged.in]", 7, 1, "name each event type once"),
    ("id: a-rule", "id: A-Rule", 1, 5, "id: write small letters and digits, with hyphens between"),
    (
        "  times: count",
        "  30d: count",
        9,
        3,
        "let.30d: write small letters, digits and _, a letter",
    ),
    (
        "cooldown: 1d",
        "score: {name: My-Score, threshold: 1, release: 1, signals: []}",
        19,
        15,
        "score.name: write small letters, digits and _",
    ),
    ("  alert:", "  tag: [a, b]\n  alert:", 15, 3, "one alone, no list: a second one is done by"),
    ("  alert:", "  untag: [a]\n  alert:", 15, 3, "then.untag: one alone, no list"),
    ("  alert:\n    text:", "  task: [a]\n  alert:\n    text:", 15, 3, "then.task: one alone"),
    (
        "  alert:\n",
        "  task: {text: {en: a, zh: b}, due: 0d}\n  alert:\n",
        15,
        37,
        "no time at all: write a length",
    ),
    ("cooldown: 1d", "active: {until: tomorrow}", 19, 17, "write a day as 2026-01-31"),
    (
        "id: a-rule",
        "%YAML 1.1\n---\nid: a-rule",
        1,
        1,
        "leave out the line %YAML: this is YAML 1.2",
    ),
    ("id: a-rule", f"id: {'a' * 99}", 1, 5, "id: at most 64 characters, not 99"),
    ("version: 1", "version: 0", 2, 10, "greater than or equal to 1"),
    ("version: 1", "version: 202611291030", 2, 10, "2,000,000,000: count versions 1, 2, 3"),
    ("id: a-rule", "id: A rule", 1, 5, "id: write small letters and digits, with hyphens"),
    ("cooldown: 1d", "cooldown: 30", 19, 11, "write a length as a number and s, m, h, d or w"),
    ("cooldown: 1d", "cooldown: one day", 19, 11, "write a length as a number and s, m, h, d or w"),
    ("cooldown: 1d", "limit: 3", 19, 8, "limit: should be keys with values"),
    ("cooldown: 1d", "limit: {times: 3}", 19, 1, "limit.within: this key is missing"),
    ("cooldown: 1d", "limit: {times: 0, within: 1d}", 19, 16, "greater than or equal to 1"),
    ("cooldown: 1d", "cooldown: 0d", 19, 11, "no time at all: write a length of 1s or more, or"),
    ("cooldown: 1d", "cooldown: 99999w", 19, 11, "cooldown: at most 3660d long"),
    ("cooldown: 1d", "cooldown: ３０d", 19, 11, "cooldown: write a length as a number"),
    ("cooldown: 1d", "limit: {times: 3, within: 0s}", 19, 27, "no time at all"),
    ("cooldown: 1d", "limit: {times: 3, within: 3661d}", 19, 27, "at most 3660d long"),
    (
        "cooldown: 1d",
        "wait: {days: 7, before: opened_on, at: '０9:00'}",
        19,
        40,
        "wait.at: write a time",
    ),
    ("  alert:", '  tag: "go\\u202elf"\n  alert:', 15, 8, "that is not seen, U+202E: leave it out"),
    (
        "  alert:",
        '  interest: "go\\0lf"\n  alert:',
        15,
        13,
        "that is not seen, U+0000: leave it out",
    ),
    ('en: "{times} t', 'en: "{times}\\u2066 t', 17, 11, "that is not seen, U+2066: leave it out"),
    ("title: {en: A", 'title: {en: "A\\e"', 3, 13, "that is not seen, U+001B: leave it out"),
    (f"if: {CONDITION}", "if: \"'\\u202dgolf' in tags\"", 13, 5, "that is not seen, U+202D"),
    (
        "cooldown: 1d",
        example("{at: 2026-02-31 10:00, event: logged.in}"),
        21,
        18,
        "no calendar has",
    ),
    ("cooldown: 1d", example("{at: 0001-01-01, event: logged.in}"), 21, 18, "from 1970 to 2999"),
    ("cooldown: 1d", example("{at: 9999-12-31, event: logged.in}"), 21, 18, "from 1970 to 2999"),
    ("cooldown: 1d", example("{at: +9999w, event: logged.in}"), 21, 18, "at most 3660d long"),
    (
        "cooldown: 1d",
        example("{at: 2026-02-01, event: logged.in, times: 9, every: 3000d}"),
        21,
        65,
        "all these times together take at most 3660d",
    ),
    ("cooldown: 1d", "rollout: 0", 19, 10, "greater than or equal to 1"),
    ("cooldown: 1d", "active: {}", 19, 1, "say from or until which day, or both"),
    ("cooldown: 1d", "active: {until: soon}", 19, 17, "active.until: write a day as 2026-01-31"),
    (
        "cooldown: 1d",
        "active: {from: 2026-02-01, until: 2026-01-31}",
        19,
        35,
        "until comes before from",
    ),
    ("cooldown: 1d", "wait: {}", 19, 1, "say days or business_days, and before or after"),
    ("cooldown: 1d", "wait: {for: 30m}", 19, 1, "say without what it fires, as in without:"),
    ("cooldown: 1d", "wait: {without: logged.in}", 19, 1, "say for how long it waits, as in for:"),
    ("cooldown: 1d", "wait: {for: 1h, days: 3}", 19, 1, "for and without say a time, days, before"),
    (
        "cooldown: 1d",
        "wait: {for: soon, without: logged.in}",
        19,
        13,
        "wait.for: write a length as",
    ),
    ("cooldown: 1d", "wait: {for: 0s, without: logged.in}", 19, 13, "a wait is from 1s to 1830d"),
    ("cooldown: 1d", "wait: {for: 1h, without: log.in}", 19, 26, "did you mean logged.in?"),
    ("cooldown: 1d", "wait: {for: 1h, without: []}", 19, 17, "it is empty: at least 1 is needed"),
    (
        "cooldown: 1d",
        "wait: {for: 1h, without: {on: logged.in, wher: x}}",
        19,
        42,
        "did you mean where",
    ),
    (
        "cooldown: 1d",
        "wait: {for: 1h, without: {on: card.settled, where: amoun > 3}}",
        19,
        52,
        "wait.without.where: amoun is not known; did you mean amount?",
    ),
    (
        "cooldown: 1d",
        "wait: {for: 1h, without: {on: card.settled, where: currency == event.currency}}",
        19,
        64,
        "what both events have alike is said beside where, as in same: currency",
    ),
    (
        "cooldown: 1d",
        "wait: {for: 1h, without: {on: card.settled, same: direction}}",
        19,
        51,
        "direction is no field that is alike in transfer.completed and card.settled",
    ),
    (
        "cooldown: 1d",
        "wait: {days: 7, business_days: 7, before: x}",
        19,
        1,
        "days or business_days",
    ),
    ("cooldown: 1d", "wait: {days: 7, before: x, after: x}", 19, 1, "and before or after what"),
    ("cooldown: 1d", "wait: {days: 7, before: x y}", 19, 25, "wait.before: write what has the"),
    ("cooldown: 1d", "wait: {days: 7, before: birthday}", 19, 25, "say every: year"),
    (
        "cooldown: 1d",
        "wait: {days: 7, before: birthday, every: yeer}",
        19,
        42,
        "should be 'year' or 'lunar year'; did you mean year?",
    ),
    ("cooldown: 1d", "wait: {days: 400, before: birthday, every: year}", 19, 14, "most 300 days"),
    (
        "cooldown: 1d",
        "wait: {days: 7, before: opened_on, of: son}",
        19,
        40,
        "of says whose birthday",
    ),
    ("cooldown: 1d", "wait: {days: 7, before: opened_on, turns: 5}", 19, 43, "say every: year"),
    ("cooldown: 1d", "wait: {days: 7, before: birthday, every: year}", 7, 5, "has no `on`"),
    ("cooldown: 1d", "wait: {days: 7, before: matures_on}", 7, 5, "not after transfer.completed"),
    ("cooldown: 1d", "unless: amoun > 3", 19, 9, "did you mean amount?"),
    ("cooldown: 1d", "unless: true", 19, 9, "with this the rule never fires"),
    ("cooldown: 1d", "unless: times < 0", 19, 9, "this is never true: a count is 0 or more"),
    (
        "cooldown: 1d",
        "unless: base_amount > 50",
        19,
        9,
        "with this the rule never fires: base_amount > 100 and not base_amount > 50 exclude",
    ),
    ("cooldown: 1d", "unless: times > 2 and base_amount > 5", 19, 9, "the rule never fires"),
    ("cooldown: 1d", "unless: direction in ['in', 'out']", 19, 9, "the rule never fires"),
    (
        "cooldown: 1d",
        "score: {name: s, threshold: 50, release: 20, signals: [\n"
        "  {points: 30, if: base_amount > 500, reason: {en: a, zh: b}},\n"
        "  {points: 30, if: base_amount < 300, reason: {en: a, zh: b}}]}",
        19,
        29,
        "score.threshold: this is never reached: base_amount > 100 and base_amount > 500 and",
    ),
    ("zh: 甲", "de: 甲", 3, 16, "title.de: not a key here; there are en, zh"),
    ("  alert:", "  alarm:", 15, 3, "then.alarm: not a key here; there are task, alert"),
    ("  alert:", "  tag: ' golf'\n  alert:", 15, 8, "then.tag: write a name on one line"),
    ("  alert:", f"  tag: {'高' * 22}\n  alert:", 15, 8, "then.tag: at most 64 bytes long"),
    ("  alert:\n", "  alert:\n    attach: [asset_sumary]\n", 16, 14, "did you mean asset_summary?"),
    ("  alert:\n", "  alert:\n    attach: all\n", 16, 13, "should be a list, each entry behind"),
    (
        "  alert:\n",
        "  alert:\n    attach: [asset_summary, asset_summary]\n",
        16,
        5,
        "name each attachment once",
    ),
    (
        "  alert:",
        '  tag: "{times}"\n  alert:',
        15,
        8,
        "nothing is filled in here: write it without",
    ),
    ("  alert:", '  untag: "a}"\n  alert:', 15, 10, "then.untag: nothing is filled in here"),
    ("  alert:", '  interest: "{times}"\n  alert:', 15, 13, "nothing is filled in here"),
    ("  alert:", '  process: {name: "{times}"}\n  alert:', 15, 19, "nothing is filled in here"),
    ("owner: Tests", 'owner: "{times}"', 5, 8, "owner: nothing is filled in here"),
    ("  alert:", "  tag: 3\n  alert:", 15, 8, "then.tag: should be a text: a number"),
    ("  alert:", "  tag: a\n  untag: a\n  alert:", 16, 10, "cannot add a tag and remove it"),
    ("  alert:", "  process: complaint\n  alert:", 15, 12, "then.process: should be keys with"),
    ("  alert:", "  process: {nam: a}\n  alert:", 15, 13, "did you mean name?"),
    ("  alert:", "  note: {about: a}\n  alert:", 15, 3, "then.note.text: this key is missing"),
    ("  alert:", "  taks: x\n  alert:", 15, 3, "then.taks: not a key here; there are task, alert"),
    (
        "  alert:",
        "  note: {about: a, text: {en: '{tims}', zh: x}}\n  alert:",
        15,
        33,
        "then.note.text.en: tims is not known; did you mean times?",
    ),
    ('zh: "{times} 笔"', 'zh: "共 {tims} 笔"', 18, 15, "tims is not known; did you mean times?"),
    ('en: "{times} t', 'en: "{3 + 4} t', 17, 13, "'3 + 4' is not a name: give it one with let"),
    ('en: "{times} t', 'en: "{ times } t', 17, 13, "is a name and nothing else: write {times}"),
    ('en: "{times} t', 'en: "{(times)} t', 17, 13, "is a name and nothing else: write {times}"),
    ('en: "{times} t', 'en: "{profile . tier} t', 17, 13, "nothing else: write {profile.tier}"),
    ('en: "{times} t', 'en: "{rate(mortgage)} t', 17, 13, "is not a name: give it one with let"),
    ('en: "{times} t', 'en: "{times t', 17, 13, "a brace stands alone: write a name in two"),
    ('en: "{times} t', 'en: "times} t', 17, 18, "a brace stands alone: write a name in two"),
    ('en: "{times} t', 'en: "{{times}} t', 17, 13, "a brace stands alone: write a name in two"),
    (
        'en: "{times} t',
        'en: "{金额} t',
        17,
        13,
        "'金额' is not a name: write one of let",
    ),
    (
        'en: "{times} t',
        'en: "｛times｝ t',
        17,
        12,
        "such a brace is shown as it is: write",
    ),
    (
        "cooldown: 1d",
        "score: {name: s, signals: [{points: 5, if: count(page.viewed, 7d)}]}",
        19,
        44,
        "signals.0.if: this value has a comma: inside of { } it stands in quotes",
    ),
    (
        "on: transfer.completed",
        "wait: {days: 7, before: attributes.wedding, every: year}",
        7,
        25,
        "attributes.wedding is not declared; the file of attributes declares",
    ),
    (
        "on: transfer.completed",
        "wait: {days: 7, before: attributes.wealth, every: year}",
        7,
        25,
        "attributes.wealth is sensitive: rules do not see it; declare another beside it",
    ),
    ('en: "{times} t', 'en: "{} t', 17, 13, "'' is not a name: give it one with let"),
    ("30d, where=direction", "30d, where=direktion", 12, 20, "did you mean direction?"),
    (
        "  times: count",
        "  one: total > 3\n  times: count",
        9,
        8,
        "total comes later: one of let sees",
    ),
    (
        "on: transfer.completed",
        "on: deposit.placed\nwait: {days: 7, after: placed_on}",
        8,
        24,
        "placed_on is no date of deposit.placed that rules wait for; there is matures_on",
    ),
    ("  times: count", "  amount: count", 9, 11, "let.amount: the name amount is already taken"),
    ("  times: count", "  class: count", 9, 10, "let.class: the name class is already taken"),
    ("cooldown: 1d", "<<: {cooldown: 1d}", 19, 1, "no merging with <<: write the keys themselves"),
    (
        "  times: count",
        "".join(f"  a{n}: 1\n" for n in range(39)) + "  times: count",
        8,
        1,
        "let: at most 40 entries, not 41",
    ),
    ("kind: risk", "kind: risk\nkind: care", 5, 1, "this is not YAML: this key stands twice"),
    ("title: {en: A, zh: 甲}", "title: {en: A", 4, 5, "this is not YAML"),
    ("title: {en: A, zh: 甲}", "title: text", 3, 8, "title: should be keys with values"),
    ("cooldown: 1d", "amendable: maybe", 19, 12, "amendable: should be true or false"),
    (
        "cooldown: 1d",
        "limit: {times: 1, within: 1d}\namendable: true",
        20,
        12,
        "a rule cannot be amended if it has a limit",
    ),
    (
        "cooldown: 1d",
        "  tag: watched\namendable: true",
        20,
        12,
        "if what it does cannot be taken back: tag",
    ),
    (
        "cooldown: 1d",
        "unless: profile.tier == 'x'\namendable: true",
        20,
        12,
        "if it looks at profile.tier, which is only known as it is now",
    ),
    (
        "cooldown: 1d",
        "unless: \"'golf' in tags or rate('m') > 3\"\namendable: true",
        20,
        12,
        "if it looks at rate(…), which",
    ),
    (
        "cooldown: 1d",
        "unless: default(profile.scores.churn, 0) >= 50\namendable: true",
        20,
        12,
        "if it looks at profile.scores.churn, which is only known as it is now",
    ),
    (
        "cooldown: 1d",
        "unless: any(loans)\namendable: true",
        20,
        12,
        "if it looks at the list loans, which",
    ),
    ("cooldown: 1d", f"sequence: {{within: 0s, steps: [{STEP}]}}", 19, 20, "no time at all"),
    ("cooldown: 1d", "sequence: {within: 1d, steps: []}", 19, 24, "at least 1"),
    (
        "cooldown: 1d",
        "sequence: {steps: [{name: one, on: logged.in}]}",
        19,
        1,
        "within: this key",
    ),
    (f"if: {CONDITION}", steps("{name: one, on: loged.in}"), 15, 27, "did you mean logged.in?"),
    (f"if: {CONDITION}", steps("{name: tags, on: logged.in}"), 15, 18, "tags is already taken"),
    (f"if: {CONDITION}", steps("{name: one, on: logged.in, if: devise == 'x'}"), 15, 42, "device?"),
    (
        f"if: {CONDITION}",
        steps("{name: one, on: logged.in, if: profile.tier == 'x'}"),
        15,
        42,
        "only the event's own fields and the steps before it are seen inside a step",
    ),
    (
        f"if: {CONDITION}",
        steps("{name: one, on: logged.in, if: 'count(page.viewed, 1d) > 3'}"),
        15,
        43,
        "an aggregate does not stand inside a step",
    ),
    (
        f"if: {CONDITION}",
        steps("{name: one, on: logged.in, if: device == other.device}"),
        15,
        52,
        "other.device is not known",
    ),
    (
        f"if: {CONDITION}",
        steps("{name: one, on: logged.in, if: device == event.device}"),
        15,
        52,
        "the event that fires the rule comes later: compare it in if, as in device == step.device",
    ),
    (f"if: {CONDITION}", steps(STEP, "one.devise == 'x'"), 16, 5, "did you mean device?"),
    (f"if: {CONDITION}", steps(STEP, "once.device == 'x'"), 16, 5, "did you mean one.device?"),
    (f"if: {CONDITION}", "if: 'x' in tags", 13, 9, "this is not YAML"),
    (f"if: {CONDITION}", 'if: "true and amoun > 3"', 13, 15, "did you mean amount?"),
    (f"if: {CONDITION}", "if:\n  true and\n  amoun > 3", 15, 3, "did you mean amount?"),
    (f"if: {CONDITION}", "if: |\n  true and\n  amoun > 3", 15, 3, "did you mean amount?"),
    (
        f"if: {CONDITION}",
        "if: [direction == 'in', amount > 3]",
        13,
        1,
        "if: should be one text, no list and no keys: conditions are joined with and, or, not",
    ),
    (
        f"if: {CONDITION}",
        "if: 'golf' in tags",
        13,
        12,
        "put the whole in double quotes, as in \"'golf' in tags\"",
    ),
    (
        '      en: "{times} t',
        '\t  en: "{times} t',
        17,
        1,
        "indents are made of blanks, not of tabs",
    ),
    (
        '    text:\n      en: "{times} transfers"\n      zh: "{times} 笔"',
        "    text: hello",
        16,
        11,
        "such as `en: ...`; there are en, zh",
    ),
    ("cooldown: 1d", "limit: 3 per year", 19, 8, "such as `times: ...`; there are times, within"),
    ("cooldown: 1d", "wait: 30m", 19, 7, "there are for, without, days, business_days, before"),
    ("cooldown: 1d", "score: [a]", 19, 1, "such as `name: ...`; there are name, threshold"),
    ("cooldown: 1d", "sequence: {within: 1d, steps: [a]}", 19, 32, "there are name, on, if"),
    (
        "cooldown: 1d",
        f"sequence: {{within: 1d, steps: [{', '.join([STEP] * 4)}]}}",
        19,
        24,
        "sequence.steps: at most 3 entries, not 4",
    ),
    (
        "then:\n  alert:",
        "then:\n  - alert:",
        14,
        1,
        "such as `task: ...`; there are task, alert, process",
    ),
]


def problems_of(folder: Path, text: str | bytes) -> list[str]:
    path = folder / "a-rule.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RuleFileErrors) as caught:
        read_rules([path], CoreSettings(partitions=1, attributes=DECLARED))
    lines = str(caught.value).splitlines()
    assert all(re.match(rf"{re.escape(str(path))}:\d+:\d+: \S", line) for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def test_the_good_rule_is_good(tmp_path: Path) -> None:
    (tmp_path / "a-rule.yaml").write_text(GOOD)
    rule_set, files = read_rules([tmp_path])
    assert [rule.id for rule in rule_set.definitions] == ["a-rule"]
    assert len(files) == 1


@pytest.mark.parametrize(("condition", "column", "words"), EXPRESSIONS)
def test_wrong_expression(tmp_path: Path, condition: str, column: int | None, words: str) -> None:
    quoted = re.match(r"['\[*&{]|.*: ", condition)
    start = 'if: "' if quoted else "if: "
    written = f'{start}{condition}"' if quoted else f"{start}{condition}"
    text = GOOD.replace(f"if: {CONDITION}", written)
    if column is not None and quoted:
        column += 1
    (line,) = problems_of(tmp_path, text)
    assert words in line
    assert line.startswith("13:")
    assert ": if: " in line
    if column is not None:
        assert line.split(":")[1] == str(column)


@pytest.mark.parametrize(("good", "wrong", "line", "column", "words"), FILES)
def test_wrong_file(
    tmp_path: Path, good: str, wrong: str, line: int, column: int, words: str
) -> None:
    assert good in GOOD
    found = problems_of(tmp_path, GOOD.replace(good, wrong))
    assert any(words in one for one in found), found
    said = next(one for one in found if words in one)
    assert said.startswith(f"{line}:{column}: ")


@pytest.mark.parametrize(
    ("good", "wrong", "problem"),
    [
        (
            "on: transfer.completed\n",
            "wait: {days: 3, before: birthday}\n",
            "7:25: wait.before: a birthday comes every year: say every: year",
        ),
        (
            GOOD[GOOD.index("let:") : GOOD.index("if:")],
            "let: {n: 3, m: 'sum(a, b)', o: sum(base_amount, logged.in, 30d), p: 2}\n",
            "8:32: let.o: this value has a comma: inside of { } it stands in quotes",
        ),
        (
            GOOD[GOOD.index("let:") : GOOD.index("if:")],
            "let: {m: count(page.viewed, 30d), n: count(logged.in, 30d)}\n",
            "8:55: this is not YAML: this value has a comma: inside of { } it stands in quotes",
        ),
    ],
)
def test_the_cause_is_told_alone(tmp_path: Path, good: str, wrong: str, problem: str) -> None:
    """Not what follows from it, such as keys that are the rest of a value."""
    assert problems_of(tmp_path, GOOD.replace(good, wrong)) == [problem]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "begins with keys"),
        (b"- a\n- b\n", "begins with keys"),
        (b"id: \xff\xfe\n", "not UTF-8"),
        (b"a: &x [*x]\n", "an alias (*name) stands inside of what it stands for"),
        (b"\x00", "this is not YAML"),
        (b"id: !!python/object:os.system x\n", "not YAML"),
        (b"---\nid: a\n---\nid: b\n", "this is not YAML"),
        (b"id: " + b"x" * 300_000, "at most"),
    ],
)
def test_no_rule_at_all(tmp_path: Path, content: bytes, words: str) -> None:
    assert any(words in line for line in problems_of(tmp_path, content))


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "endless.yaml").symlink_to("/dev/zero")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "link.yaml").symlink_to(tmp_path / "good")
    (tmp_path / "good").write_text(GOOD)
    with pytest.raises(RuleFileErrors) as caught:
        read_rules([tmp_path])
    said = "1:1: this is no regular file: name one that holds text"
    wrong = [tmp_path / f"{name}.yaml" for name in ("endless", "folder", "pipe")]
    assert str(caught.value).splitlines() == [f"{path}:{said}" for path in wrong]


def test_a_file_is_not_read_before_its_size_is_known(tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(2**40)  # a hole: no disk is filled
    with pytest.raises(RuleFileErrors, match="at most 262,144 bytes"):
        read_rules([tmp_path])


def test_a_mapping_that_is_merged_into_a_rule(tmp_path: Path) -> None:
    text = GOOD.replace("let:", "let: &lets").replace("cooldown: 1d", "<<: *lets")
    (line,) = problems_of(tmp_path, text)
    assert line.startswith("19:1: this is not YAML: there is no merging with <<")


def test_two_files_with_one_id(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD)
    with pytest.raises(RuleFileErrors, match=r"b.yaml:1:5: id: the rule a-rule is in .*a.yaml"):
        read_rules([tmp_path])


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(RuleFileErrors, match="no such file or directory"):
        read_rules([tmp_path / "absent.yaml"])
    with pytest.raises(RuleFileErrors, match=r"there is no \*.yaml in this folder"):
        read_rules([tmp_path])


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    wrong = GOOD.replace("count(transfer", "cout(transfer").replace("sum(base", "sum(bas")
    found = problems_of(tmp_path, wrong)
    assert [one.split(":")[0] for one in found] == ["9", "11"]


SEVERAL = """\
id: a-rule
version: one
title: {en: A}
kind: care
onwer: Tests
status: live
on: transfer.completed
sequence:
  within: 1d
  steps:
    - {name: one, on: logged.in, if: devise == 'x'}
    - {name: two, on: loged.in}
let:
  times: count(transfer.complete, 30d)
  good: count(transfer.completed, 30d)
if: times > 3 and base_amont > 5 and good > 1 and (direction == 'inn' or one.device == two.device)
unless: profile.teir == 'x'
then:
  task: {text: {en: "{times} {god} {two.device}", zh: "{bar}"}, prioriti: high}
cooldwn: 3d
limit: {times: 0, within: 1d}
examples:
  - {title: a, given: [{at: soon, event: logged.in}], expect: []}
"""


def test_one_problem_hides_no_other(tmp_path: Path) -> None:
    """Of any part, in any file; what uses something that is wrong itself is not told as well."""
    (tmp_path / "a.yaml").write_text(SEVERAL)
    (tmp_path / "b.yaml").write_text(GOOD.replace("'out'", "'up'"))
    (tmp_path / "c.yaml").write_text(GOOD.replace("a-rule", "c").replace("> 100", "> 'x'"))
    (tmp_path / "d.yaml").write_text("- no rule")
    (tmp_path / "e.yaml").write_text("lett: {a: 1}\n" + GOOD.replace("let:", "lets:"))
    with pytest.raises(RuleFileErrors) as caught:
        read_rules([tmp_path])
    lines = [one.removeprefix(f"{tmp_path}/") for one in str(caught.value).splitlines()]
    assert [":".join(line.split(":")[:4]) for line in lines] == [
        "a.yaml:1:1: owner",
        "a.yaml:2:10: version",
        "a.yaml:3:1: title.zh",
        "a.yaml:5:1: onwer",
        "a.yaml:11:38: sequence.steps.0.if",
        "a.yaml:12:23: sequence.steps.1.on",
        "a.yaml:14:16: let.times",
        "a.yaml:16:19: if",
        "a.yaml:16:65: if",
        "a.yaml:17:9: unless",
        "a.yaml:19:31: then.task.text.en",
        "a.yaml:19:57: then.task.text.zh",
        "a.yaml:19:65: then.task.prioriti",
        "a.yaml:20:1: cooldwn",
        "a.yaml:21:16: limit.times",
        "a.yaml:23:29: examples.0.given.0.at",
        "b.yaml:12:33: let.total",
        "c.yaml:13:19: if",
        "d.yaml:1:1: a rule file begins with keys such as id, version, title",
        "e.yaml:1:1: lett",
        "e.yaml:9:1: lets",
    ]


def test_yaml_1_2_words_stay_what_they_are(tmp_path: Path) -> None:
    text = GOOD.replace(CONDITION, "direction in ['in', 'out']")
    (tmp_path / "a.yaml").write_text(text.replace("owner: Tests", "owner: NO"))
    rule_set, _ = read_rules([tmp_path])
    assert rule_set.definitions[0].owner == "NO"
    assert rule_set.definitions[0].on == ["transfer.completed"]
