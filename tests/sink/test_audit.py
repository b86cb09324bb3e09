"""Who changed which rule, in ClickHouse: a row for each rule of a change."""

from __future__ import annotations

from datetime import UTC, datetime

from clickhouse_driver import Client

from schemas.audit import (
    AUDIT_TOPIC,
    Audited,
    Deed,
    RuleChange,
    RuleChanges,
    Warmed,
    encode_audited,
)
from schemas.rule_register import Standing
from sinks.clickhouse.address import Address
from sinks.clickhouse.message import Message
from tests.sink.test_facts import store

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def done(offset: int, who: str, deed: Deed, number: int, *changes: RuleChange) -> Message:
    data = RuleChanges(number=number, changes=[*changes])
    audited = Audited(id=f"a{offset}", type=deed, subject=who, time=AT, data=data)
    return Message(AUDIT_TOPIC, 0, offset, 1_000, encode_audited(audited), [], who.encode())


def approved(offset: int) -> Message:
    """Two rules at once."""
    return done(
        offset,
        "mei",
        "rules.approved",
        7,
        RuleChange(rule="a", version=2, status="live", before=Standing(1, "live", (1,))),
        RuleChange(rule="b", version=1, status="shadow"),
    )


def warmed(offset: int) -> Message:
    data = RuleChanges(
        number=0,
        changes=[RuleChange(rule="a", version=2, status="shadow")],
        warmed=Warmed(customers=1_234, since=AT),
    )
    audited = Audited(id=f"a{offset}", type="rules.warmed", subject="lin", time=AT, data=data)
    return Message(AUDIT_TOPIC, 0, offset, 1_000, encode_audited(audited), [], b"lin")


def test_each_rule_of_a_change_is_a_row_once(address: Address, client: Client) -> None:
    client.execute("TRUNCATE TABLE audit_raw")
    told = [
        done(0, "lin", "rules.published", 0, RuleChange(rule="a", version=2, status="live")),
        approved(1),
        Message(AUDIT_TOPIC, 0, 2, 1_000, b"{}", [], b"somebody"),
    ]
    assert store(address, told) == 1
    assert store(address, told) == 1
    columns = "who, deed, rule_id, rule_version, status, before_version, before_status, publication"
    found = client.execute(f"SELECT {columns} FROM audit ORDER BY offset, rule_id")
    assert found == [
        ("lin", "rules.published", "a", 2, "live", None, None, 0),
        ("mei", "rules.approved", "a", 2, "live", 1, "live", 7),
        ("mei", "rules.approved", "b", 1, "shadow", None, None, 7),
    ]
    store(address, [warmed(3)])
    query = "SELECT who, rule_id, status, customers, since FROM audit WHERE deed = 'rules.warmed'"
    assert client.execute(query) == [("lin", "a", "shadow", 1_234, AT)]
    times = client.execute("SELECT DISTINCT toUnixTimestamp64Milli(time) FROM audit")
    assert times == [(round(AT.timestamp() * 1_000),)]
