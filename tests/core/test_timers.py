"""Timers follow their deposit, fire once, and neither early nor late."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.effects import Task
from schemas.packed import pack
from schemas.profile import NEVER
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams import effects as effects_module
from streams.chunk import Outcome, apply_chunk
from streams.context import Context, CoreSettings
from streams.due import DueList
from streams.fold import ACTIVITY_FOLDS
from streams.fold.deposits import MAX_DEPOSITS
from streams.inputs import Raw
from streams.intake import Entry, read
from streams.partition_time import Source, partition_time
from streams.rules.compiler import compile_rules
from streams.rules.errors import RuleErrors
from streams.rules.ruleset import RuleSet
from streams.waits.days import instant
from tests.core.strategies import CUSTOMERS, DAY, PARTITIONS, message

ZONE = ZoneInfo("Asia/Shanghai")
RULE: dict[str, Any] = {
    "id": "maturing",
    "version": 1,
    "title": {"en": "Maturing", "zh": "到期"},
    "kind": "care",
    "owner": "Deposits",
    "status": "live",
    "on": ["deposit.placed", "deposit.renewed"],
    "wait": {"days": 7, "before": "matures_on", "at": "09:00"},
    "if": "base_principal >= 1_000_000",
    "then": {"task": {"text": {"en": "{deposit} {matures_on}", "zh": "{deposit}"}, "due": "5d"}},
}
RULES = compile_rules([RuleDefinition.model_validate(RULE)], zone=ZONE)
SETTINGS = CoreSettings(partitions=PARTITIONS, time_zone=ZONE)
CUSTOMER = CUSTOMERS[0]
ORIGIN = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
LATER = ORIGIN + 1_000 * DAY


def nine(day: str, days: int = 7) -> int:
    """Nine o'clock of the day so many days before, by another way than the core's."""
    chosen = date.fromisoformat(day) - timedelta(days=days)
    return int(datetime(chosen.year, chosen.month, chosen.day, 1, tzinfo=UTC).timestamp() * 1000)


def deposit(name: str, matures_on: str, amount: int = 2_000_000) -> dict[str, str]:
    return {
        "deposit": name,
        "principal": str(amount),
        "currency": "CNY",
        "base_principal": str(amount),
        "rate": "0.02",
        "matures_on": matures_on,
    }


class Bank:
    """One customer's record, fed event by event."""

    def __init__(self, rules: RuleSet = RULES, digits: int = 1) -> None:
        self.record = Record(CUSTOMER)
        self.offset = 0
        self.rules = rules
        self.digits = digits
        """The length of an event's id."""

    def entry(self, kind: str, at: int, **data: Any) -> Entry:
        self.offset += 1
        event_id = f"{self.offset:0{self.digits}}"
        value = message(kind, data, at=at, customer=CUSTOMER, event_id=event_id)
        return read(Raw("bank.core", 0, self.offset, CUSTOMER.encode(), value), SETTINGS)

    def send(self, kind: str, at: int, now: int = LATER, **data: Any) -> Outcome:
        return self.apply([self.entry(kind, at, **data)], now, -1, ())

    def deposit(
        self,
        at: int,
        matures_on: str,
        *,
        amount: int = 2_000_000,
        kind: str = "placed",
        **other: Any,
    ) -> Outcome:
        return self.send(
            f"deposit.{kind}",
            at,
            **deposit("D1", matures_on, amount),
            **other,
        )

    def redeem(self, at: int) -> Outcome:
        return self.send("deposit.redeemed", at, deposit="D1", amount="99999999", currency="CNY")

    def until(self, time: int) -> Outcome:
        """What the timers do that are due by then, without an event."""
        return self.apply([], LATER, time, (CUSTOMER,))

    def apply(self, entries: Sequence[Entry], now: int, time: int, due: Sequence[str]) -> Outcome:
        context = Context(now, self.rules, SETTINGS, time)
        return apply_chunk(entries, lambda _: self.record, context, due)


def tasks(outcome: Outcome) -> list[Task]:
    return [effect for effect in outcome.effects if isinstance(effect, Task)]


def test_a_large_deposit_is_told_days_before_its_maturity() -> None:
    bank = Bank()
    assert not tasks(bank.deposit(ORIGIN, "2026-06-01"))
    due = nine("2026-06-01")
    assert bank.record.header.next_due == due
    assert not bank.until(due - 1).records
    (task,) = tasks(bank.until(due))
    assert task.time == task.data.waited_until == datetime(2026, 5, 25, 1, tzinfo=UTC)
    assert task.data.due == datetime(2026, 5, 30, 1, tzinfo=UTC)
    assert task.data.text["en"] == "D1 2026-06-01"
    assert (task.data.cause.id, task.data.cause.type) == ("1", "deposit.placed")
    assert bank.record.header.next_due == NEVER
    assert not tasks(bank.until(LATER))


def test_a_timer_whose_effect_is_oversize_keeps_none_of_the_others_from_firing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(effects_module, "MAX_EFFECT_BYTES", 2_000)
    loud = RULE | {"id": "loud", "then": {"task": {"text": dict.fromkeys(["en", "zh"], "x" * 500)}}}
    loud["then"]["task"]["title"] = dict.fromkeys(["en", "zh"], "高" * 500)
    rules = [RuleDefinition.model_validate(one) for one in (RULE, loud)]
    bank = Bank(compile_rules(rules, zone=ZONE))
    bank.deposit(ORIGIN, "2026-06-01")
    outcome = bank.until(LATER)
    assert [one.data.rule.id for one in tasks(outcome)] == ["maturing"]
    assert outcome.counts["fired:maturing"] == outcome.counts["rule_failures:loud"] == 1
    assert outcome.counts["fired:loud"] == outcome.counts["rule_failures:maturing"] == 0


def test_a_small_one_is_looked_at_and_not_told() -> None:
    bank = Bank()
    bank.deposit(ORIGIN, "2026-06-01", amount=999_999)
    outcome = bank.until(LATER)
    assert outcome.counts["timers"] == 1
    assert not tasks(outcome)


def test_a_renewal_moves_the_timer_and_redemption_cancels_it() -> None:
    bank = Bank()
    bank.deposit(ORIGIN, "2026-06-01")
    bank.deposit(ORIGIN + DAY, "2026-09-01", kind="renewed")
    assert bank.record.header.next_due == nine("2026-09-01")
    bank.redeem(ORIGIN + 2 * DAY)
    assert bank.record.header.next_due == NEVER
    assert not tasks(bank.until(LATER))


def test_hearing_of_a_deposit_again_does_not_tell_it_twice() -> None:
    bank = Bank()
    bank.deposit(ORIGIN, "2026-06-01")
    assert tasks(bank.until(nine("2026-06-01")))
    bank.deposit(nine("2026-06-01") + DAY, "2026-06-01", kind="renewed", amount=3_000_000)
    assert bank.record.header.next_due == NEVER
    bank.deposit(nine("2026-06-01") + 2 * DAY, "2026-12-01", kind="renewed")
    assert tasks(bank.until(LATER))


def test_a_moved_date_is_a_new_wait_also_back_to_one_that_was_told() -> None:
    bank, told = Bank(), nine("2026-06-01")
    bank.deposit(ORIGIN, "2026-06-01")
    assert tasks(bank.until(told))
    bank.deposit(told + 1, "2026-09-01", kind="renewed")
    assert not tasks(bank.until(told + 1))
    bank.deposit(told + 2, "2026-06-01", kind="renewed")
    assert bank.record.header.next_due == told + 2
    assert len(tasks(bank.until(LATER))) == 1


def test_late_events_that_move_a_date_away_and_back_make_another_task() -> None:
    bank, told = Bank(), nine("2026-06-01")
    bank.deposit(ORIGIN, "2026-06-01")
    first = tasks(bank.until(told))
    bank.deposit(told - 2, "2026-09-01", kind="renewed")
    bank.deposit(told - 1, "2026-06-01", kind="renewed")
    assert bank.record.header.next_due == told
    again = tasks(bank.until(told))
    assert len({task.id for task in first + again}) == 2, "no two effects have the same id"
    assert len({task.data.task_id for task in first + again}) == 2


def test_the_condition_is_looked_at_as_things_are_by_then() -> None:
    bank = Bank()
    bank.deposit(ORIGIN, "2026-06-01", amount=10)
    bank.deposit(ORIGIN + DAY, "2026-06-01", kind="renewed", amount=5_000_000)
    assert tasks(bank.until(LATER))


def test_a_deposit_that_matures_sooner_is_told_at_once_and_a_matured_one_not() -> None:
    bank = Bank()
    bank.deposit(ORIGIN, "2026-03-04")
    assert bank.record.header.next_due == ORIGIN
    assert tasks(bank.until(ORIGIN))
    other = Bank()
    other.deposit(ORIGIN, "2026-02-20")
    assert other.record.header.next_due == NEVER


def test_a_maturity_on_a_day_that_is_none_is_a_dead_letter() -> None:
    bank = Bank()
    (letter,) = bank.deposit(ORIGIN, "2026-02-30").dead_letters
    assert letter.reason == "broken"
    assert letter.detail == "matures_on is no day of the calendar - at `$.data`"
    assert not bank.record.profile.deposits


@pytest.mark.parametrize(("rules", "deposit_id", "event_id"), [(3, 16, 26), (1, 128, 200)])
def test_many_deposits_wait_in_a_record_that_stays_below_its_limit(
    rules: int, deposit_id: int, event_id: int
) -> None:
    """With ids of an ordinary length, and of the greatest."""
    waiting = [RuleDefinition.model_validate({**RULE, "id": f"maturing-{n}"}) for n in range(rules)]
    bank = Bank(compile_rules(waiting, zone=ZONE), event_id)
    for n in range(MAX_DEPOSITS):
        told = deposit(f"{n:0{deposit_id}}", "2026-06-01", 12_345_678_901_234)
        assert bank.send("deposit.placed", ORIGIN + n, **told).counts["applied"] == 1
    assert len(bank.record.activity.timers) == MAX_DEPOSITS * rules
    assert len(pack(bank.record.activity.timers)) < bank.rules.weight.total
    assert len(tasks(bank.until(LATER))) == MAX_DEPOSITS * rules


def test_an_event_finds_the_timers_before_it_fired() -> None:
    bank = Bank()
    bank.deposit(ORIGIN, "2026-06-01")
    outcome = bank.redeem(nine("2026-06-01"))
    assert len(tasks(outcome)) == 1
    assert bank.record.profile.deposits["D1"].state == "redeemed"


def test_an_answer_in_time_counts_by_its_own_time() -> None:
    bank = Bank()
    bank.deposit(ORIGIN, "2026-06-01")
    assert not tasks(bank.redeem(nine("2026-06-01") - 1))


def test_a_timer_is_not_fired_ahead_of_the_bank_clock() -> None:
    bank = Bank()
    due = nine("2026-06-01")
    bank.deposit(ORIGIN, "2026-06-01")
    outcome = bank.send("logged.in", due + 60_000, now=due - 1, channel="app")
    assert outcome.counts["applied"] == 1
    assert not tasks(outcome)


def test_a_timer_set_for_the_time_at_which_another_has_just_fired_is_told() -> None:
    bank, due = Bank(), nine("2026-06-01")
    bank.deposit(ORIGIN, "2026-06-01")
    late = bank.entry("deposit.placed", due - DAY, **deposit("D2", "2026-06-01"))
    outcome = bank.apply([late], LATER, due, (CUSTOMER,))
    assert len(tasks(outcome)) == 1
    assert outcome.dues == {CUSTOMER: (due, due)}
    assert len(tasks(bank.until(due))) == 1
    assert bank.record.header.next_due == NEVER


def test_a_failed_fold_keeps_the_timers_that_fired_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    bank = Bank()
    bank.deposit(ORIGIN, "2026-06-01")
    monkeypatch.setitem(ACTIVITY_FOLDS, "logged.in", fail)
    outcome = bank.send("logged.in", nine("2026-06-01"), channel="app")
    assert len(tasks(outcome)) == 1
    assert outcome.counts["dead:failed"] == 1
    assert outcome.records[CUSTOMER].header.next_due == NEVER


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"on": "transfer.completed", "if": "base_amount > 1"}, "not after transfer.completed"),
        ({"wait": {"days": 7, "before": "matures_in"}}, "did you mean matures_on"),
    ],
)
def test_a_rule_that_cannot_wait_is_refused(change: dict[str, Any], word: str) -> None:
    then = {"task": {"text": {"en": "x", "zh": "x"}}}
    with pytest.raises(RuleErrors, match=word):
        compile_rules([RuleDefinition.model_validate({**RULE, "then": then, **change})])


@given(st.dates(date(1971, 1, 1), date(2200, 1, 1)), st.integers(0, 400), st.times())
def test_an_instant_is_that_wall_clock_time(day: date, days: int, at: Any) -> None:
    zone = ZoneInfo("Europe/Zurich")
    at = at.replace(second=0, microsecond=0, fold=0)
    back_then = day - timedelta(days=days)
    found = datetime.fromtimestamp(instant(back_then, at, zone) / 1000, UTC)
    back = found.astimezone(zone)
    wall = datetime(day.year, day.month, day.day, at.hour, at.minute) - timedelta(days=days)  # noqa: DTZ001  # a wall clock has no zone
    skipped = back.replace(tzinfo=None) - wall
    assert skipped in (timedelta(0), timedelta(hours=1))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-1, 20)), max_size=30))
def test_a_due_list_is_a_sorted_dict(changes: list[tuple[str, int]]) -> None:
    dues, twin, now = DueList(), dict[str, int](), 0
    for n, (customer, due) in enumerate(changes):
        dues.change(customer, due)
        twin[customer] = due
        if n % 3 == 2:
            now += 2
            expected = sorted((d, c) for c, d in twin.items() if 0 <= d <= now)[:2]
            assert dues.take(now, 2) == [c for _, c in expected]
            twin |= {c: NEVER for _, c in expected}


_times = st.one_of(st.none(), st.integers(0, 100))
BEHIND = Source(None, None)


def is_known(source: Source, time: int, delay: int) -> bool:
    """Whether nothing dated before `time` is still to come from a source."""
    if source.head is not None:
        return time <= source.head
    return source.caught_up is not None and time <= source.caught_up - delay


@given(
    st.integers(-1, 100),
    st.lists(st.builds(Source, _times, _times), max_size=4),
    st.integers(0, 120),
    st.integers(0, 30),
)
@example(50, [Source(None, 90)], 100, 10)
def test_a_partitions_time_is_the_last_up_to_which_all_is_known(
    before: int, sources: list[Source], now: int, delay: int
) -> None:
    """The definition, by trying each time that the bank clock has been at."""
    known = (t for t in range(now + 1) if all(is_known(one, t, delay) for one in sources))
    assert partition_time(before, sources, now, delay) == max((before, *known))


@pytest.mark.parametrize(
    ("sources", "time"),
    [
        ([], 100),
        ([Source(None, 90)], 80),
        ([Source(None, 90), Source(None, 70)], 60),
        ([Source(55, None)], 55),
        ([Source(55, None), Source(52, None)], 52),
        ([Source(55, 90)], 55),
        ([Source(95, None), Source(None, 90)], 80),
        ([Source(55, None), Source(None, 90)], 55),
        ([Source(104, None)], 100),
        ([Source(None, 55)], 50),
        ([Source(45, None)], 50),
        ([BEHIND], 50),
        ([Source(None, 90), BEHIND], 50),
        ([BEHIND, Source(95, None)], 50),
    ],
)
def test_partition_time_case_by_case(sources: list[Source], time: int) -> None:
    """It was 50, the bank clock is at 100, and an event may take 10 to arrive."""
    assert partition_time(50, sources, 100, 10) == time
