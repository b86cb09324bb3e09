"""What may become of a rule, and by whom: the allowed transitions, four eyes, the way back."""

from itertools import product
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.rule_register import RegisterKey, RuleVersion, Standing, encode_register
from schemas.rules import RuleDefinition, Status
from streams.inputs import Raw
from streams.rules.lifecycle import LifecycleError, approve, changed, is_new, roll_back, seeded
from streams.rules.register import RuleBook
from tests.lane.rules import rule
from tests.rules.test_compiled import random_rule
from tests.rules.test_register import AT, isolated

STATUSES = get_args(Status)


class Register:
    """A book that is written to."""

    def __init__(self) -> None:
        self.book = RuleBook()
        self.offset = 0

    def take(self, key: bytes, value: bytes | None) -> None:
        assert not self.book.take(Raw("vip.rules", 0, self.offset, key, value))
        self.offset += 1

    def publish(self, definition: RuleDefinition, author: str = "author") -> None:
        text = definition.model_dump_json(by_alias=True, exclude={"examples"}, exclude_none=True)
        told = RuleVersion(definition=text, source="", author=author, at=AT)
        key = RegisterKey("rule", definition.id, definition.version)
        self.take(key.encode(), encode_register(told))

    def approve(
        self, version: int | None = None, status: Status | None = None, who: str = "publisher"
    ) -> Standing:
        change = approve(self.book, "a", version, status, who)
        self.take(b"active", encode_register(changed(self.book, [change], who, AT)))
        if change.lifts:
            self.take(RegisterKey("isolated", "a", change.after.version).encode(), None)
        return change.after

    def standing(self) -> Standing:
        assert self.book.state.active is not None
        return self.book.state.active.rules["a"]


def definition(version: int = 1, status: str = "live", **changes: object) -> RuleDefinition:
    return RuleDefinition.model_validate(rule("a", version, status, **changes))


def register(*statuses: Status) -> Register:
    """Of a rule that was brought to these one after the other."""
    made = Register()
    made.publish(definition())
    for status in statuses:
        made.approve(1, status)
    return made


def test_a_new_rule_goes_from_shadow_to_live_to_retired() -> None:
    made = register()
    with pytest.raises(LifecycleError, match="was never in force, so it can be shadow"):
        made.approve()
    assert made.approve(status="shadow") == Standing(1, "shadow")
    assert made.approve() == Standing(1, "live", (1,))
    assert made.approve(status="retired") == Standing(1, "retired", (1,))


REACHED: dict[Status, tuple[Status, ...]] = {
    "draft": ("shadow", "draft"),
    "shadow": ("shadow",),
    "live": ("shadow", "live"),
    "retired": ("shadow", "live", "retired"),
}
ALLOWED = {
    *product(["draft"], ["shadow"]),
    *product(["shadow"], ["live", "draft", "retired"]),
    *product(["live"], ["shadow", "retired"]),
    *product(["retired"], ["shadow"]),
}


@pytest.mark.parametrize(("was", "asked"), [*product(STATUSES, STATUSES)])
def test_allowed_transitions(was: Status, asked: Status) -> None:
    made = register(*REACHED[was])
    if (was, asked) in ALLOWED:
        assert made.approve(1, asked).status == asked
    else:
        with pytest.raises(LifecycleError):
            made.approve(1, asked)
        assert made.standing().status == was


def test_the_next_version_of_a_live_rule_is_live_at_once_but_not_of_one_on_trial() -> None:
    made = register("shadow", "live")
    made.publish(definition(2))
    assert made.approve() == Standing(2, "live", (1, 2))
    made = register("shadow")
    made.publish(definition(2))
    with pytest.raises(LifecycleError, match="a@1 is in shadow, a@2 was not"):
        made.approve()
    assert made.approve(status="shadow") == Standing(2, "shadow")
    assert made.approve() == Standing(2, "live", (2,))


def test_nobody_approves_what_he_wrote() -> None:
    made = register("shadow")
    made.publish(definition(2), "publisher")
    with pytest.raises(LifecycleError, match="a@2 is by publisher: somebody else must approve"):
        made.approve(status="shadow")
    made.approve(status="shadow", who="another")


def test_nobody_brings_back_what_he_wrote() -> None:
    retired = register("shadow", "live", "retired")
    raising = register("shadow", "live")
    raising.take(*isolated("a", 1))
    for made in (retired, raising):
        with pytest.raises(LifecycleError, match="a@1 is by author: somebody else must roll back"):
            roll_back(made.book, "a", 1, "author")
        assert roll_back(made.book, "a", 1, "publisher").after.status == "live"


def test_back_to_a_version_that_was_live_and_to_no_other() -> None:
    made = register("shadow", "live")
    for number in (2, 3):
        made.publish(definition(number))
    made.approve(3)
    with pytest.raises(LifecycleError, match="a@2 was never live: 1, 3 were"):
        roll_back(made.book, "a", 2, "publisher")
    with pytest.raises(LifecycleError, match="live already"):
        roll_back(made.book, "a", 3, "publisher")
    assert roll_back(made.book, "a", 1, "publisher").after == Standing(1, "live", (1, 3))
    made.approve(status="retired")
    assert roll_back(made.book, "a", 3, "publisher").after == Standing(3, "live", (1, 3))
    with pytest.raises(LifecycleError, match="none was"):
        roll_back(made.book, "b", 1, "publisher")


def test_what_is_retired_is_what_is_in_force() -> None:
    made = register("shadow", "live")
    made.publish(definition(2))
    made.publish(definition(3))
    made.approve(3)
    assert roll_back(made.book, "a", 1, "publisher").after.version == 1
    made.approve(2, "live")
    assert made.approve(status="retired") == Standing(2, "retired", (1, 2, 3))
    with pytest.raises(LifecycleError, match="a@3 cannot be live"):
        made.approve(status="live")


def test_what_is_isolated_may_be_put_in_force_again() -> None:
    made = register("shadow", "live")
    with pytest.raises(LifecycleError, match="live already"):
        made.approve()
    made.take(*isolated("a", 1))
    assert roll_back(made.book, "a", 1, "publisher").lifts
    made.approve()
    assert made.book.state.isolated == frozenset()


def test_a_version_is_brought_once() -> None:
    made = register()
    assert not is_new(made.book, definition())
    assert not is_new(made.book, definition(status="shadow"))
    with pytest.raises(LifecycleError, match=r"another a@1 .* make this version 2"):
        is_new(made.book, definition(kind="care"))
    assert is_new(made.book, definition(3))
    made.publish(definition(3))
    with pytest.raises(LifecycleError, match="make this version 4"):
        is_new(made.book, definition(2))


@pytest.mark.parametrize(
    ("version", "says"), [(None, "there is no rule b"), (2, "there is no rule b")]
)
def test_what_is_not_there(version: int | None, says: str) -> None:
    with pytest.raises(LifecycleError, match=says):
        approve(register().book, "b", version, None, "publisher")
    with pytest.raises(LifecycleError, match="no a@7 in the register; there is version 1"):
        approve(register().book, "a", 7, None, "publisher")


@given(st.randoms(use_true_random=False))
def test_what_workers_read_is_what_was_written(random: Random) -> None:
    """A rule comes out of the register as it went in, so that its digest is the file's."""
    made, one = Register(), random_rule(random, 1)
    made.publish(one)
    [change] = seeded([one])
    made.take(b"active", encode_register(changed(made.book, [change], "p", AT)))
    [found] = made.book.definitions(made.book.state, ())
    assert found == one.model_copy(update={"examples": []})
    assert changed(made.book, [], "p", AT).number == 2
