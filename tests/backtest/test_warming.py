"""What is made of an archive for a rule that is warmed: of what lies before the cut, by offsets or
by time, if it goes back far enough."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

import msgspec
import pytest
from msgspec.structs import replace

from agents.backtest import spill
from agents.backtest.archived import UNKNOWN, Archived
from agents.warming import run as warming
from agents.warming.cuts import Cut, Kept
from agents.warming.error import WarmingError
from agents.warming.plan import Plan
from agents.warming.run import Filled, warm
from config.settings import Settings
from schemas.envelope import to_millis
from schemas.filling import decode_fill
from schemas.position import NOT_YET, Position, Range, Since
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.reach import LookBack
from tests.lane.rules import rule

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
DAYS, CUSTOMERS = 40, 12
CORE = CoreSettings(partitions=1)


def archive(first: int = 0, partition: int = 0) -> Iterator[Archived]:
    """A transfer of each customer a day, from so many days before the rule came into force."""
    offset = 0
    for day in range(-DAYS, 3):
        for number in range(CUSTOMERS):
            name = f"{day}-{number}"
            event = {
                "specversion": "1.0",
                "id": name,
                "source": "test",
                "type": "transfer.completed",
                "subject": f"C{number}",
                "time": (BEGAN + timedelta(days=day)).isoformat(),
                "data": {
                    "transfer": name,
                    "account": "A1",
                    "direction": "out",
                    "amount": "1",
                    "currency": "CNY",
                    "base_amount": "1",
                },
            }
            if offset >= first:
                value = json.dumps(event).encode()
                yield Archived("bank.core", offset, f"C{number}".encode(), value, partition)
            offset += 1


def plan_of(length: str) -> Plan:
    """Of a rule that workers took up a day's events later than its time says."""
    said = rule("new", 1, "shadow", **{"if": f"count(transfer.completed, {length}) > 1"})
    definition = RuleDefinition.model_validate(said)
    looks = CORE.compiled([definition]).looks_back("new")
    cut = Cut({"bank.core": (DAYS + 1) * CUSTOMERS}, to_millis(BEGAN))
    numbers = {0: {look.key: 7 for look in looks}}
    return Plan(definition, looks, [definition], CORE, numbers, {0: {7: cut}}, 0, 0)


def filled(
    plan: Plan,
    archived: Iterable[Archived],
    *,
    cores: int = 1,
    partly: bool = False,
    has_offsets: bool = True,
    now: datetime = BEGAN + timedelta(days=9),
) -> tuple[Filled, dict[str, int]]:
    """And what each customer's window counts."""
    counted: dict[str, int] = {}

    def count(shares: Iterator[tuple[bytes, bytes]], messages: int, since: int) -> Filled:
        made = list(shares)
        for key, value in made:
            fill = decode_fill(value)
            (packed,) = fill.data.states.values()
            counted[key.decode()] = sum(msgspec.msgpack.decode(packed)[2])
        return Filled(len(made), 0, messages, since)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warming, "_count", count)
        patch.setattr(spill, "ROOM", 1_000)
        found = warm(
            Settings(),
            plan,
            archived,
            to_millis(now),
            cores,
            lambda *_: None,
            has_offsets=has_offsets,
            partly=partly,
            who=None,
        )
    return found, counted


def test_what_lies_before_the_cut_counts_by_offset() -> None:
    found, counted = filled(plan_of("30d"), archive(), cores=2)
    assert found.since == to_millis(BEGAN - timedelta(days=DAYS))
    assert counted == {f"C{number}": DAYS + 1 for number in range(CUSTOMERS)}


def test_lines_without_offsets_count_by_their_time() -> None:
    _, counted = filled(plan_of("30d"), archive(partition=UNKNOWN), has_offsets=False)
    assert counted == {f"C{number}": DAYS for number in range(CUSTOMERS)}


def test_an_archive_that_does_not_go_back_far_enough_is_refused() -> None:
    with pytest.raises(WarmingError, match=r"whole from 2026-01-20 00:00 .* from 2026-04-20"):
        filled(plan_of("90d"), archive())
    found, _ = filled(plan_of("90d"), archive(), partly=True)
    assert plan_of("90d").warm_with(found.since) == to_millis(BEGAN + timedelta(days=50))


def test_a_topic_whose_beginning_was_removed_is_whole_from_what_is_left() -> None:
    with pytest.raises(WarmingError, match="whole from 2026-02-19"):
        filled(plan_of("30d"), archive(first=30 * CUSTOMERS))


def test_a_topic_that_begins_with_what_is_no_event_lacks_nothing() -> None:
    broken = Archived("bank.core", 0, b"C0", b"{", 0)
    found, _ = filled(plan_of("30d"), chain([broken], archive(first=CUSTOMERS)))
    assert found.since == to_millis(BEGAN - timedelta(days=DAYS - 1))


def test_nothing_from_before_is_nothing_to_fill() -> None:
    with pytest.raises(WarmingError, match="holds nothing from before"):
        filled(plan_of("1d"), archive(first=(DAYS + 1) * CUSTOMERS))


def test_a_customer_whose_share_no_worker_takes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what other processes still write is waited for."""
    monkeypatch.setattr(warming, "MAX_EVENT_BYTES", 100)
    with pytest.raises(WarmingError, match="one customer's share has"):
        filled(plan_of("30d"), archive(), cores=2)


def test_windows_that_others_keep_for_longer_are_left_alone() -> None:
    kept, looks = Kept(0), [LookBack(key, 1) for key in "abc"]
    place = Range(topic_id="", start=3, end=4)
    position = Position(partition=0, number=5, ranges={"t": place}, now=9, rules="")
    reach = {"a": Since(NOT_YET, 1, 5)}
    kept.take(replace(position, reach=reach))
    reach = {"a": Since(70, 1, 5), "b": Since(80, 1, 9), "c": Since(80, 1, 9)}
    with pytest.raises(WarmingError, match="does not keep the rule's windows yet"):
        kept.numbers(looks, ())
    kept.take(replace(position, number=9, partition_time=80, reach=reach))
    assert {number: cut.time for number, cut in kept.cuts.items()} == {5: 70, 9: 80}
    assert kept.numbers(looks, {"a", "b"}) == {"b": 9, "c": 9}
    assert kept.numbers(looks, {"b"}) == {"a": 5, "b": 9, "c": 9}
    kept.take(replace(position, number=12, reach=reach | {"c": Since(10, 1, 9, filled=True)}))
    assert kept.numbers(looks, {"a"}) == {"b": 9}


def test_a_clock_that_is_behind_the_cut_is_refused() -> None:
    """What happened between would be dropped as of the future, and the rule called warm."""
    with pytest.raises(WarmingError, match=r"says 2026-02-25 .*VIPCARE_CLOCK__STARTED"):
        filled(plan_of("30d"), archive(), now=BEGAN - timedelta(days=4))


def test_what_is_dated_after_it_was_sent_is_counted() -> None:
    """As a worker, which made dead letters of it."""
    sent = to_millis(BEGAN - timedelta(days=DAYS))
    ahead = (replace(one, sent=sent) for one in archive() if one.offset == CUSTOMERS)
    rest = (one for one in archive() if one.offset != CUSTOMERS)
    found, counted = filled(plan_of("30d"), chain(rest, ahead))
    assert found.future == 1
    assert counted["C0"] == counted["C1"] - 1
