"""What a task brings along: held to what a portrait shows, bounded, without what is personal."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import unpack_line
from schemas.attachments import Attachments, RecentContact
from schemas.attributes import AttributeDefinition
from schemas.effects import Alert, Task
from schemas.envelope import from_millis
from schemas.profile import Deposit, Interest
from schemas.record import Record
from schemas.rule_parts import Text
from streams.attachments import MOST, attachments
from streams.attributes import Attributes
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.inputs import Raw
from streams.intake import read
from streams.portrait import portrait
from streams.portrait.parts import Amount, Facts, Table
from streams.rules.compiler import compile_rules
from tests.core.strategies import NOW
from tests.core.test_actions import rule, viewed
from tests.core.test_any_order import NO_RULES, SETTINGS, WHO, histories, record_of
from tests.portrait.story import CUSTOMER, ZONE
from tests.portrait.story import NOW as STORY_NOW
from tests.portrait.story import record as story
from tests.portrait.test_portrait import PERSONAL

ALL = ("preference_analysis", "asset_summary", "recent_contacts")
TEXT = {"en": "A", "zh": "甲"}


def all_of(record: Record, at: int = NOW, core: CoreSettings = SETTINGS) -> Attachments:
    made = attachments(record, ALL, at, core)
    assert made is not None
    return made


@settings(deadline=None, max_examples=60)
@given(histories())
def test_the_asset_summary_is_what_the_portrait_shows(raws: list[Raw]) -> None:
    record = record_of(raws, NO_RULES)
    told = all_of(record).asset_summary
    assert told is not None
    today = from_millis(NOW).astimezone(SETTINGS.time_zone).date()
    shown = portrait(record, SETTINGS.time_zone, today)
    part = shown.part("assets")
    assert isinstance(part, Facts)
    facts: dict[str, Any] = {one.name: one.value for one in part.facts}
    assert Amount(told.base_assets) == facts["total"]
    assert Amount(told.base_net) == facts["net"]
    parts = ("balance", "deposits", "wealth", "funds", "insurance", "other")
    assert sum(getattr(told, f"base_{one}") for one in parts) == told.base_assets
    months = {name: Amount(sum_) for name, sum_ in told.assets_by_month.items()}
    assert months == facts.get("by_month", {})
    open_ = []
    for table, day in (("deposits", "matures_on"), ("holdings", "matures_on"), ("loans", "due_on")):
        found = shown.part(table)
        assert isinstance(found, Table)
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        open_ += [str(row[day]) for row in rows if isinstance(row[day], date) and row[day] >= today]
    assert [one.on for one in told.maturities] == sorted(open_)[:MOST]


def test_contacts_are_the_last_of_the_service_line() -> None:
    record = story()
    line = unpack_line(record.activity.line)
    told = all_of(record, STORY_NOW).recent_contacts
    assert told == [
        RecentContact(
            time=from_millis(one.at),
            type=one.type,
            channel=one.channel,
            about=one.about,
            name=one.name,
            result=one.result,
        )
        for one in sorted(line, reverse=True)[:MOST]
    ]
    assert len(told) == MOST < len(line)


def test_nothing_that_identifies_a_person_is_attached() -> None:
    core = CoreSettings(
        1,
        attributes=Attributes(
            AttributeDefinition(
                name=name, type="text", title=Text(en="A", zh="甲"), sensitive=hidden
            )
            for name, hidden in (("segment", False), ("wealth", True))
        ),
    )
    record = story()
    record.edit_profile().attributes.update(segment="founder", wealth="inherited")
    made = all_of(record, STORY_NOW, core)
    assert made.preference_analysis is not None
    assert made.preference_analysis.attributes == {"segment": "founder"}
    said = msgspec.json.encode(made).decode()
    assert not [one for one in (*PERSONAL, "inherited") if one in said]
    assert CUSTOMER not in said


def test_what_the_customer_cares_about_is_in_order_and_bounded() -> None:
    record = Record(WHO)
    profile, visits = record.edit_profile(), record.activity.visits
    profile.interests = {f"i{n}": Interest(at=n % 3) for n in range(6)}
    visits.by_topic = {f"p{n:02}": n for n in range(MOST + 5)}
    told = all_of(record).preference_analysis
    assert told is not None
    assert told.interests == ["i2", "i5", "i1", "i4", "i0", "i3"]
    assert list(told.pages.items()) == [(f"p{n:02}", n) for n in range(MOST + 4, 4, -1)]
    assert told.highest_risk is None


def test_what_is_due_today_counts_and_yesterday_does_not() -> None:
    record = Record(WHO)
    days = ("2026-03-19", "2026-03-20", "9999-12-31", "soon")
    record.edit_profile().deposits = {
        f"D{day}": Deposit(principal=Decimal(1), base_principal=Decimal(1), matures_on=day)
        for day in days
    }
    late = int(datetime(2026, 3, 20, 0, 30, tzinfo=ZONE).timestamp() * 1_000)
    told = all_of(record, late, replace(SETTINGS, time_zone=ZONE)).asset_summary
    assert told is not None
    assert [one.on for one in told.maturities] == ["2026-03-20", "9999-12-31"]


@given(st.lists(st.sampled_from(ALL), unique=True))
def test_only_what_is_asked_for_is_attached(wanted: list[Any]) -> None:
    made = attachments(Record(WHO), wanted, NOW, SETTINGS)
    assert (made is None) is (not wanted)
    assert made is None or msgspec.to_builtins(made).keys() == {*wanted}


def test_a_task_and_an_alert_bring_what_their_rule_says() -> None:
    then = {
        "task": {"text": TEXT, "attach": ["asset_summary", "recent_contacts"]},
        "alert": {"text": TEXT},
        "tag": "seen",
    }
    rules = compile_rules([rule("attaches", "true", then)])
    record = Record(WHO)
    context = Context(NOW, rules, SETTINGS)
    made = apply_chunk([read(viewed(1, "tea", NOW), SETTINGS)], lambda _: record, context).effects
    (task,) = (one.data for one in made if isinstance(one, Task))
    (alert,) = (one.data for one in made if isinstance(one, Alert))
    assert task.attachments is not None
    assert task.attachments.preference_analysis is None
    assert task.attachments.recent_contacts == []
    assert alert.attachments is None
