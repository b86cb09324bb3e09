"""A customer as people read it, made of the record alone: no I/O, no clock."""

from datetime import date, tzinfo

from schemas.record import Record
from streams.attributes import NONE_DECLARED, Attributes
from streams.portrait.activity import behaviour, care, record_facts, tables_of_behaviour
from streams.portrait.assets import assets, tables_of_assets
from streams.portrait.monthly import tables_of_months
from streams.portrait.open_things import open_things
from streams.portrait.parts import Portrait
from streams.portrait.profile import attributes, profile
from streams.portrait.ties import tables_of_ties
from streams.portrait.time_line import time_line
from streams.rules.compiler import NO_RULES
from streams.rules.ruleset import RuleSet


def portrait(
    record: Record,
    zone: tzinfo,
    today: date,
    *,
    personal: bool = False,
    declared: Attributes = NONE_DECLARED,
    rules: RuleSet = NO_RULES,
    base_currency: str = "",
) -> Portrait:
    """What a record says, in parts; `today` is the bank's day, in its time zone.

    `rules` are those in force: what waits for one of them is told if it would fire as things are.

    Unless `personal`, what identifies a person is masked, and so are the attributes that are
    sensitive or that are not declared as they are.
    """
    return Portrait(
        record.customer,
        (
            profile(record.profile, personal=personal),
            attributes(record.profile, declared, personal=personal),
            assets(record),
            open_things(record, zone, today, rules),
            *tables_of_assets(record, zone, today),
            *tables_of_ties(record.profile, zone),
            behaviour(record, zone),
            *tables_of_behaviour(record.activity),
            *tables_of_months(record),
            care(record.activity, zone),
            time_line(record, zone),
            record_facts(record, zone),
        ),
        base_currency,
    )
