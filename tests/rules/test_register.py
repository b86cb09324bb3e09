"""The register of rules: what it puts in force, at any offset, whatever stands in it."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.rule_register import (
    ACTIVE_KEY,
    Active,
    Isolated,
    RegisterKey,
    RuleVersion,
    Standing,
    encode_register,
    parse_key,
)
from schemas.rules import MAX_VERSION, RuleDefinition, Status
from streams.inputs import Raw
from streams.rules.compiler import compile_rules
from streams.rules.register import RegisterError, RuleBook
from tests.lane.rules import rule

AT = "2026-01-01T00:00:00+00:00"
FILES = [RuleDefinition.model_validate(rule("from-a-file"))]
Message = tuple[bytes, bytes | None]


def version(definition: dict[str, Any]) -> Message:
    key = RegisterKey("rule", definition["id"], definition["version"]).encode()
    text = json.dumps(definition)
    return key, encode_register(RuleVersion(definition=text, source=text, author="a", at=AT))


def active(number: int, **rules: tuple[int, Status]) -> Message:
    standings = {name: Standing(*one) for name, one in rules.items()}
    return ACTIVE_KEY, encode_register(Active(number=number, rules=standings, by="b", at=AT))


def isolated(name: str, of: int) -> Message:
    told = Isolated(errors=20, worker="w", at=AT)
    return RegisterKey("isolated", name, of).encode(), encode_register(told)


def book_of(messages: Sequence[Message]) -> tuple[RuleBook, list[str]]:
    book, problems = RuleBook(), []
    for offset, (key, value) in enumerate(messages):
        problems.append(book.take(Raw("vip.rules", 0, offset, key, value)))
    return book, problems


def in_force(book: RuleBook) -> dict[str, tuple[int, Status]]:
    found = book.definitions(book.state, FILES)
    return {one.id: (one.version, one.status) for one in found}


def test_every_version_that_a_rule_can_have_is_taken() -> None:
    newest = rule("a", MAX_VERSION)
    book, problems = book_of([version(newest), active(1, a=(MAX_VERSION, "live"))])
    assert problems == ["", ""]
    assert in_force(book) == {"a": (MAX_VERSION, "live")}


def test_while_nothing_was_published_the_rules_are_of_files() -> None:
    book, _ = book_of([])
    assert (in_force(book), book.state.offset) == ({"from-a-file": (1, "live")}, 0)
    book, _ = book_of([version(rule("a"))])
    assert (in_force(book), book.state.offset) == ({"from-a-file": (1, "live")}, 0)


def test_a_rule_of_a_file_is_isolated_too() -> None:
    book, _ = book_of([isolated("from-a-file", 1)])
    assert (in_force(book), book.state.offset) == ({"from-a-file": (1, "shadow")}, 1)
    book, _ = book_of([isolated("from-a-file", 2)])
    assert in_force(book) == {"from-a-file": (1, "live")}


def test_what_is_active_says_version_and_status() -> None:
    told = [version(rule("a")), version(rule("a", 2)), version(rule("b"))]
    book, problems = book_of([*told, active(1, a=(2, "shadow"), b=(1, "live"))])
    assert problems == [""] * 4
    assert in_force(book) == {"a": (2, "shadow"), "b": (1, "live")}
    assert book.state.offset == 4


def test_an_isolation_holds_for_its_version_until_it_is_lifted() -> None:
    told = [version(rule("a")), version(rule("a", 2)), active(1, a=(1, "live")), isolated("a", 1)]
    assert in_force(book_of(told)[0]) == {"a": (1, "shadow")}
    assert in_force(book_of([*told, active(2, a=(2, "live"))])[0]) == {"a": (2, "live")}
    key, _ = isolated("a", 1)
    book, _ = book_of([*told, (key, None)])
    assert (in_force(book), book.state.offset) == ({"a": (1, "live")}, 5)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ((b"who", b"{}"), "its key is not one of the register's"),
        ((b"a@0", b"{}"), "its key is not one of the register's"),
        ((b"a@1", None), "never removed"),
        ((ACTIVE_KEY, None), "never removed"),
        ((ACTIVE_KEY, b"{"), "it is no such record"),
        ((b"b@1", b'{"definition": 1}'), "it is no such record"),
        (active(2, a=(3, "live")), "it names a@3, which is not in the register"),
        (version(rule("a", kind="risk")), "a version of a rule is never changed"),
    ],
)
def test_what_is_no_record_counts_for_nothing(message: Message, says: str) -> None:
    told = [version(rule("a")), active(1, a=(1, "live"))]
    book, problems = book_of([*told, message])
    assert says in problems[-1]
    assert (in_force(book), book.state.offset) == ({"a": (1, "live")}, 2)
    assert book.unusable == {message[0]: (2, problems[-1])}


def test_what_is_sent_again_as_it_should_be_is_no_longer_unusable() -> None:
    book, _ = book_of([version(rule("a")), (ACTIVE_KEY, b"{"), active(1, a=(1, "live"))])
    assert book.unusable == {}


def test_a_version_that_is_no_rule_of_ours_is_an_error_of_its_state() -> None:
    newer = {**rule("a"), "on_the_moon": True}
    other = version(rule("b"))[1]
    book, _ = book_of([version(newer), active(1, a=(1, "live"))])
    with pytest.raises(RegisterError, match="a@1: on_the_moon"):
        in_force(book)
    book, _ = book_of([(b"a@1", other), active(1, a=(1, "live"))])
    with pytest.raises(RegisterError, match="a@1 holds b@1"):
        in_force(book)


names = st.sampled_from(["a", "b"])
numbers = st.integers(1, 3)
said = st.lists(
    st.one_of(
        st.builds(lambda name, one: version(rule(name, one)), names, numbers),
        st.builds(
            lambda one, chosen: active(one, **chosen),
            numbers,
            st.dictionaries(names, st.tuples(numbers, st.sampled_from(["live", "shadow"]))),
        ),
        st.builds(isolated, names, numbers),
        st.builds(lambda name, one: (isolated(name, one)[0], None), names, numbers),
    ),
    max_size=25,
)


@given(said)
def test_reading_up_to_the_offset_of_a_state_gives_that_state(messages: list[Message]) -> None:
    """What the oracle relies on: a position names nothing but the offset."""
    book = RuleBook()
    for offset, (key, value) in enumerate(messages):
        book.take(Raw("vip.rules", 0, offset, key, value))
        state = book.state
        again, _ = book_of(messages[: state.offset])
        assert again.state == state
        assert again.definitions(state, FILES) == book.definitions(state, FILES)


@given(names, numbers)
def test_a_key_is_read_as_it_was_written(name: str, one: int) -> None:
    for kind in ("rule", "isolated"):
        key = RegisterKey(kind, name, one)
        assert parse_key(key.encode()) == key


@pytest.mark.timeout(20)
def test_lets_that_build_on_each_other_compile_in_no_time() -> None:
    """Each names the one before it twice: gone through each time, that would be 2^39 ways."""
    lets = {"s0": "base_amount"} | {f"s{n}": f"s{n - 1} * s{n - 1}" for n in range(1, 40)}
    written = rule("a", let=lets, **{"if": "s39 > 0"})
    assert compile_rules([RuleDefinition.model_validate(written)]).running == 1
