"""A customer as people read it, made of the record alone: no I/O, no clock."""

from datetime import date, tzinfo

from schemas.record import Record
from streams.portrait.activity import behaviour, record_facts
from streams.portrait.assets import assets, tables_of_assets
from streams.portrait.open_things import open_things
from streams.portrait.parts import Portrait
from streams.portrait.profile import attributes, profile
from streams.portrait.time_line import time_line


def portrait(record: Record, zone: tzinfo, today: date, *, personal: bool = False) -> Portrait:
    """What a record says, in parts; `today` is the bank's day, in its time zone.

    What identifies a person is masked unless `personal`.
    """
    return Portrait(
        record.customer,
        (
            profile(record.profile, personal=personal),
            attributes(record.profile),
            assets(record.profile),
            *tables_of_assets(record.profile, zone),
            behaviour(record.activity, zone),
            open_things(record, zone, today),
            time_line(record, zone),
            record_facts(record, zone),
        ),
    )
