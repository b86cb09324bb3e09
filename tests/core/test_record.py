"""The record: what is encoded is what is decoded, and undecoded sections are carried along."""

from decimal import Decimal

import pytest

from schemas.profile import NEVER, Account
from schemas.record import Record, read_header


def filled() -> Record:
    record = Record("C1")
    record.header.sequence = 7
    record.header.next_due = 12_345
    record.header.summary_version = 3
    record.header.summary_digest = b"12345678"
    record.edit_profile().basics.tier = "gold"
    record.edit_profile().accounts["A"] = Account(kind="current", balance=Decimal("12.30"))
    record.activity.latest = 99
    record.windows.put("w", [1, ["2", None]])
    return record


def test_round_trip() -> None:
    record = filled()
    again = Record("C1", record.encode())
    assert again.header == record.header
    assert again.profile == record.profile
    assert again.activity == record.activity
    assert again.encode() == record.encode()


def test_the_header_is_read_without_the_rest() -> None:
    stored = filled().encode()
    header = read_header(stored[:41])
    assert (header.sequence, header.next_due, header.last_broadcast) == (7, 12_345, NEVER)


def test_an_undecoded_section_is_carried_along() -> None:
    stored = filled().encode()
    record = Record("C1", stored)
    record.activity.latest = 100
    again = Record("C1", record.encode())
    assert again.activity.latest == 100
    assert again.profile == filled().profile


def test_a_profile_that_was_read_is_carried_along_and_one_to_edit_is_encoded() -> None:
    record = Record("C1", filled().encode())
    record.profile.basics.tier = "read, and changed against the rule"
    assert Record("C1", record.encode()).profile.basics.tier == "gold"
    record.edit_profile().basics.tier = "diamond"
    record.store()
    assert record.stored is not None
    assert Record("C1", record.stored).profile.basics.tier == "diamond"
    assert record.encode() == record.stored


def test_foreign_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        Record("C1", b"\x01")
    with pytest.raises(ValueError, match="version 9"):
        Record("C1", b"\x09" + filled().encode()[1:])
