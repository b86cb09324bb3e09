"""Dead letters: whole where they fit, cut where no broker would take them, read back the same."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.librdkafka import MAX_MESSAGE_BYTES
from schemas.dead_letters import (
    CATEGORY_OF,
    FIRST_HEADER,
    HEADERS,
    MAX_KEY_BYTES,
    MAX_VALUE_BYTES,
    Category,
    DeadLetter,
    Reason,
    dead_letter,
    parse_dead_letter,
)
from schemas.place import Place, parse_place
from streams.context import CoreSettings
from streams.inputs import Raw, raw_of
from streams.intake import read

SETTINGS = CoreSettings(partitions=4)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def refused(key: bytes | None, value: bytes | None) -> DeadLetter:
    letter = read(Raw("bank.core", 1, 7, key, value), SETTINGS).problem
    assert letter is not None
    return letter


@given(st.sampled_from(Reason), text, text, st.none() | st.binary(max_size=20), st.binary())
def test_a_letter_is_read_back_from_its_message(
    reason: Reason, detail: str, name: str, key: bytes | None, value: bytes
) -> None:
    letter = dead_letter(
        reason, detail, topic="bank.app", partition=3, offset=2**40, key=key, value=value,
        event_type=name, event_source=name, event_id=name, first=name,
    )  # fmt: skip
    assert [header for header, _ in letter.headers()] == [f"vipcare-{name}" for name in HEADERS]
    assert parse_dead_letter(letter.headers(), letter.key, letter.value) == letter


def test_a_letter_of_an_earlier_version_is_read_too() -> None:
    letter = refused(b"C1", b"{")
    later = {"vipcare-category", "vipcare-first"}
    headers = [header for header in letter.headers() if header[0] not in later]
    assert len(headers) == len(HEADERS) - 2
    assert parse_dead_letter(headers, letter.key, letter.value) == letter


def test_every_reason_has_a_category_and_every_category_a_reason() -> None:
    assert CATEGORY_OF.keys() == set(Reason)
    assert set(CATEGORY_OF.values()) == set(Category)
    assert dict(refused(b"C1", b"{").headers())["vipcare-category"] == b"malformed"


def test_a_replayed_message_that_is_refused_again_names_the_first() -> None:
    headers: list[tuple[str, bytes | None]] = [("other", None), (FIRST_HEADER, b"bank.app[3]@17")]
    raw = raw_of("vip.internal", 1, 5, b"C1", b"{", headers)
    letter = read(raw, SETTINGS).problem
    assert letter is not None
    assert letter.first == "bank.app[3]@17"
    assert str(letter.place) == "vip.internal[1]@5"
    assert raw_of("bank.app", 1, 5, b"C1", b"{", headers).first is None


@pytest.mark.parametrize("text", [b"", b"bank.app", b"bank.app[3]@", b"\xff[1]@2", b"a[1]@2\n"])
def test_what_names_no_place_is_no_reference(text: bytes) -> None:
    assert raw_of("vip.internal", 1, 5, b"C1", b"{", [(FIRST_HEADER, text)]).first is None


@given(st.from_regex(r"[a-zA-Z0-9._-]{1,60}", fullmatch=True), st.integers(0, 99), st.integers(0))
def test_a_place_is_read_back_from_its_text(topic: str, partition: int, offset: int) -> None:
    place = Place(topic, partition, offset % 2**63)
    assert parse_place(str(place)) == place


def test_a_long_value_is_cut_and_its_length_and_hash_are_told() -> None:
    for size in (MAX_VALUE_BYTES, MAX_VALUE_BYTES + 1):
        whole = b"x" * size
        letter = refused(b"C1", whole)
        assert letter.value == whole[:MAX_VALUE_BYTES]
        assert letter.length == size
        assert letter.sha256 == hashlib.sha256(whole).hexdigest()


def test_no_message_that_a_broker_took_makes_a_letter_that_it_refuses() -> None:
    """A letter that cannot be sent would end every worker that takes the partition over."""
    most = 1_048_000  # Kafka's default limit, key and value together
    for key_size in (0, 64, most // 2, most):
        letter = refused(b"k" * key_size, b"{" * (most - key_size))
        headers = sum(len(name) + len(value) for name, value in letter.headers())
        assert len(letter.key or b"") <= MAX_KEY_BYTES
        assert len(letter.key or b"") + len(letter.value) + headers < MAX_MESSAGE_BYTES // 2
