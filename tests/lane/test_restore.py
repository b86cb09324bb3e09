"""A partition goes on from its position, or says in one line why it must not."""

import msgspec
import pytest

from agents.lane.restore import Log, PositionError, place
from schemas.position import Position, Range, Refusals


def log(
    *, topic_id: str = "id", earliest: int = 0, end: int | None = 50, committed: int | None = None
) -> Log:
    return Log(topic_id, earliest, end, committed)


def position(end: int, topic_id: str = "id") -> Position:
    ranges = {"bank.core": Range(topic_id=topic_id, start=3, end=end)}
    return Position(partition=1, number=4, ranges=ranges, now=5, rules="r")


def test_a_new_partition_begins_at_the_beginning_of_its_logs() -> None:
    begun = place(1, None, {"bank.core": log(earliest=7)}, "now")
    assert (begun.number, begun.changelog) == (0, "now")
    assert begun.ranges == {"bank.core": Range(topic_id="id", start=7, end=7)}


def test_a_position_is_gone_on_from_and_a_new_topic_begins_at_its_beginning() -> None:
    begun = place(1, position(20), {"bank.core": log(), "crm.feedback": log(earliest=2)}, "now")
    assert begun.number == 4
    assert begun.ends() == {"bank.core": 20, "crm.feedback": 2}


def test_all_else_of_a_position_stays_as_it_is() -> None:
    held = msgspec.structs.replace(
        position(20), partition_time=9, timers=2, facts={"bank.org": 3},
        refusals={"bank.core": Refusals(5, "1")},
    )  # fmt: skip
    begun = place(1, held, {"bank.core": log()}, "now")
    assert begun == msgspec.structs.replace(held, changelog="now")


@pytest.mark.parametrize(
    ("held", "now", "words"),
    [
        (None, log(committed=9), "holds no position"),
        (position(20, "old"), log(), "was made anew"),
        (position(20), log(earliest=21), "1 messages were removed unread"),
        (position(51), log(end=50), "lost messages"),
    ],
)
def test_what_disagrees_is_refused(held: Position | None, now: Log, words: str) -> None:
    with pytest.raises(PositionError) as refused:
        place(1, held, {"bank.core": now}, "now")
    assert "bank.core[1]" in str(refused.value)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("held", "now"),
    [
        (position(20, ""), log()),
        (position(20), log(topic_id="")),
        (position(60), log(end=None)),
        (position(50), log(end=50)),
        (position(20), log(earliest=20)),
        (None, log(committed=0)),
    ],
)
def test_what_cannot_be_known_or_just_fits_is_taken(held: Position | None, now: Log) -> None:
    place(1, held, {"bank.core": now}, "now")


def test_a_changelog_made_anew_is_refused_unless_the_broker_has_no_ids() -> None:
    held = msgspec.structs.replace(position(20), changelog="old")
    with pytest.raises(PositionError, match="made anew while a worker ran"):
        place(1, held, {"bank.core": log()}, "now")
    assert place(1, held, {"bank.core": log()}, "").number == 4
    assert place(1, position(20), {"bank.core": log()}, "now").changelog == "now"
