"""An effect, its row in ClickHouse, and the effect rendered from it: the same, field by field."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from clickhouse_driver import Client
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from schemas.dead_letters import HEADERS, DeadLetter, Reason, dead_letter
from schemas.effects import (
    TOPIC_OF,
    ActionTaken,
    Alert,
    Decision,
    Effect,
    ProcessRequested,
    Profile,
    Task,
    encode_effect,
)
from sinks.clickhouse.address import Address
from sinks.clickhouse.batch import make_batch
from sinks.clickhouse.customer import read_customer
from sinks.clickhouse.message import Message
from sinks.clickhouse.render import StoredLetter, count_rows, read_dead_letters, read_effects
from sinks.clickhouse.tables import TABLES
from sinks.clickhouse.writer import Writer
from tests.schemas.examples import examples
from tests.sink.strategies import of, wide_money
from tests.sink.taken import taken

profiles = st.builds(
    lambda profile, money: msgspec.structs.replace(
        profile, data=msgspec.structs.replace(profile.data, base_balance=money)
    ),
    of(Profile),
    wide_money(),
)
effects: st.SearchStrategy[list[Effect]] = st.lists(
    st.one_of(of(Task), of(Alert), of(ActionTaken), of(ProcessRequested), of(Decision), profiles),
    max_size=12,
    unique_by=lambda effect: effect.id,
)


def messages_of(found: list[Effect]) -> list[Message]:
    return [
        Message(TOPIC_OF[type(effect)], 3, offset, 1_700_000_000_000, encode_effect(effect), [])
        for offset, effect in enumerate(found)
    ]


def write(address: Address, messages: list[Message], times: int = 1) -> None:
    writer = Writer(address)
    for _ in range(times):
        batch = make_batch(taken(messages))
        assert not batch.skipped
        for table, rows in batch.rows.items():
            writer.insert(table, rows)
    writer.close()


def clear(client: Client) -> None:
    for table in TABLES:
        client.execute(f"TRUNCATE TABLE {table.name}")


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(found=effects, times=st.integers(1, 2))
def test_rendered_effects_are_the_effects(
    client: Client, address: Address, found: list[Effect], times: int
) -> None:
    clear(client)
    write(address, messages_of(found), times)
    rendered = {(type(effect), effect.id): effect for effect in read_effects(client)}
    assert rendered == {(type(effect), effect.id): effect for effect in found}
    assert sum(1 for _ in read_effects(client)) == len(found)


def test_a_customer_is_what_the_last_version_says(client: Client, address: Address) -> None:
    example: Profile = msgspec.convert(examples("vip.profile")[0], Profile)
    versions: list[Effect] = [
        msgspec.structs.replace(
            example,
            id=f"p-{version}",
            data=msgspec.structs.replace(
                example.data, version=version, tier=f"tier {version}", base_balance=Decimal("7.5")
            ),
        )
        for version in (2, 3, 1)
    ]
    write(address, messages_of(versions))
    assert client.execute("SELECT tier, base_balance FROM customers") == [
        ("tier 3", Decimal("7.5"))
    ]
    assert {effect.data.version: effect for effect in read_effects(client)} == {
        effect.data.version: effect for effect in versions
    }
    counts = count_rows(client)
    assert (counts["customers"], counts["customers_history"]) == (1, 3)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    places=st.lists(st.integers(0, 2**62), max_size=5, unique=True),
    reason=st.sampled_from(Reason),
    detail=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    content=st.binary(min_size=8, max_size=40),
)
def test_dead_letters_keep_their_place_and_not_their_content(
    client: Client, address: Address, places: list[int], reason: Reason, detail: str, content: bytes
) -> None:
    assume(content.hex() not in detail)
    clear(client)
    letters = [
        dead_letter(
            reason, detail, topic="bank.core", partition=1, offset=place, key=b"K", value=content
        )
        for place in places
    ]
    sent = [
        Message("vip.dead-letters", 0, n, -5, letter.value, letter.headers())
        for n, letter in enumerate(letters)
    ]
    write(address, sent, times=2)
    assert sorted(read_dead_letters(client)) == sorted(map(_stored, letters))
    row = client.execute("SELECT * FROM dead_letters_raw")
    assert content not in b"".join(str(cell).encode() for line in row for cell in line)


def _stored(letter: DeadLetter) -> StoredLetter:
    return StoredLetter(*(getattr(letter, name) for name in HEADERS))


def test_a_customer_is_read_with_what_rules_did(client: Client, address: Address) -> None:
    told = [msgspec.convert(one, ActionTaken) for one in examples("action.taken")]
    idle = msgspec.structs.replace(told[0].data, changed=False)
    nothing = msgspec.structs.replace(told[0], id="idle", data=idle)
    asked = [msgspec.convert(one, ProcessRequested) for one in examples("process.requested")]
    profile = [msgspec.convert(examples("vip.profile")[0], Profile)]
    write(address, messages_of([*told, nothing, *asked, *profile]))
    found = read_customer(client, told[0].subject, 50)
    assert found is not None
    assert sorted((one["action"], one["name"]) for one in found.actions) == [
        ("greeting", "birthday-golf"),
        ("note", "golf"),
        ("process", "complaint"),
        ("process", "complaint"),
        ("tag", "golf"),
    ]
