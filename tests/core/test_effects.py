"""What a step says: where an effect comes from, under which id, and when a summary goes out."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from msgspec import structs

from schemas.effects import TOPIC_OF, Decision, Profile, Task
from schemas.envelope import from_millis
from schemas.record import Record
from streams.chunk import Outcome, apply_chunk
from streams.context import Context, CoreSettings
from streams.fold.accounts import MAX_ACCOUNTS
from streams.inputs import Raw
from streams.intake import read
from tests.core.strategies import CUSTOMERS, DAY, NOW, PARTITIONS, message, transfer
from tests.shipped import GREETINGS, shipped_rules

WHO = CUSTOMERS[0]
SETTINGS = CoreSettings(partitions=PARTITIONS, greetings=GREETINGS)
CONTEXT = Context(now=NOW, rules=SETTINGS.compiled(shipped_rules()), settings=SETTINGS)


def raw(
    event_id: str, event_type: str, data: dict[str, Any], at: int, topic: str = "bank.core"
) -> Raw:
    value = message(event_type, data, at=at, customer=WHO, event_id=event_id)
    return Raw(topic, 0, int(event_id) + 700, WHO.encode(), value)


def run(*raws: Raw, context: Context = CONTEXT, record: Record | None = None) -> Outcome:
    """Apply messages of one customer, in their order."""
    kept = record or Record(WHO)
    return apply_chunk([read(one, SETTINGS) for one in raws], lambda _: kept, context)


def tasks(outcome: Outcome) -> list[Task]:
    return [effect for effect in outcome.effects if isinstance(effect, Task)]


def profiles(outcome: Outcome) -> list[Profile]:
    return [effect for effect in outcome.effects if isinstance(effect, Profile)]


def abroad(count: int) -> list[Raw]:
    """Transfers of which the third makes the foreign exchange rule fire."""
    return [
        raw(str(n), "transfer.completed", transfer(n, 250_000, "GB", "in"), NOW - DAY + n)
        for n in range(count)
    ]


KNOWN = raw("9", "customer.updated", {"tier": "gold", "rm": "RM1"}, NOW - 2 * DAY)


def test_a_task_tells_its_rule_its_values_and_its_event() -> None:
    (task,) = tasks(run(KNOWN, *abroad(3)))
    data, fired_at = task.data, from_millis(NOW - DAY + 2)
    assert (data.rule.id, data.rule.version) == ("fx-frequent-cross-border", 3)
    assert (data.values["times"], data.values["total"]) == ("3", "750000")
    cause = data.cause
    assert (cause.topic, cause.partition, cause.offset) == ("bank.core", 0, 702)
    assert (cause.source, cause.id, cause.type) == ("/bank/test", "2", "transfer.completed")
    assert cause.time == task.time == fired_at
    assert (data.version, data.state, data.change) == (1, "open", "raised")
    assert task.id == f"{data.task_id}-1"
    assert task.subject == WHO
    assert (data.tier, data.rm) == ("gold", "RM1")
    assert data.due == from_millis(NOW + DAY + 2), "two days after the event"
    assert "3 cross-border transfers" in data.text["en"]


def test_what_a_shadow_rule_would_do_is_recorded_instead() -> None:
    (task,) = tasks(run(*abroad(3)))
    on_trial = [one.model_copy(update={"status": "shadow"}) for one in shipped_rules()]
    outcome = run(*abroad(3), context=replace(CONTEXT, rules=SETTINGS.compiled(on_trial)))
    assert not tasks(outcome)
    (decision,) = [one for one in outcome.effects if isinstance(one, Decision)]
    data = decision.data
    assert (data.outcome, data.actions) == ("shadow", ["task"])
    same = ("kind", "title", "text", "rm", "tier", "rule", "values", "waited_until", "cause")
    assert [getattr(data, name) for name in same] == [getattr(task.data, name) for name in same]
    assert decision.id != task.id
    assert outcome.counts["shadow:fx-frequent-cross-border"] == 1
    assert "fired:fx-frequent-cross-border" not in outcome.counts
    assert TOPIC_OF[type(decision)] == "vip.decisions"


def test_an_id_derives_from_the_event_wherever_it_stands() -> None:
    (task,) = tasks(run(*abroad(3)))
    moved = [structs.replace(one, offset=one.offset + 5_000) for one in abroad(3)]
    (again,) = tasks(run(*moved))
    assert again.id == task.id
    elsewhere = [
        structs.replace(one, value=(one.value or b"").replace(b"/bank/test", b"/bank/other"))
        for one in abroad(3)
    ]
    (other,) = tasks(run(*elsewhere))
    assert other.id != task.id


def test_a_reversed_transfer_is_taken_out_of_windows_and_totals() -> None:
    first, second, third = abroad(3)
    given_back = {
        name: value
        for name, value in transfer(1, 250_000, "GB", "in").items()
        if not name.startswith("counterparty")
    }
    reversal = raw("5", "transfer.reversed", given_back, NOW - DAY + 10)
    outcome = run(first, second, reversal, third)
    assert not tasks(outcome)
    activity = outcome.records[WHO].activity
    assert (activity.inflow.count, activity.inflow.reversed) == (3, 1)
    assert activity.inflow.base_total == 500_000
    assert activity.outflow.count == 0
    assert b"Somebody" not in outcome.records[WHO].encode(), "personal, and not needed again"


def test_a_summary_goes_out_only_when_one_of_its_fields_changed() -> None:
    record = Record(WHO)
    *_, first = profiles(run(KNOWN, *abroad(1), record=record))
    same = raw("10", "customer.updated", {"tier": "gold", "employer": "ACME"}, NOW - DAY)
    assert not profiles(run(same, *abroad(2), record=record))
    (second,) = profiles(run(raw("11", "tag.added", {"tag": "tea"}, NOW - DAY), record=record))
    assert (first.data.version, second.data.version) == (2, 3)
    assert first.id.removesuffix("-2") == second.id.removesuffix("-3")
    assert (second.data.tier, second.data.tags) == ("gold", ["tea"])
    assert second.data.cause.type == "tag.added"


def test_late_begins_behind_the_lateness_of_the_records_own_newest_event() -> None:
    context = replace(CONTEXT, settings=replace(SETTINGS, lateness=DAY))
    newest = raw("1", "logged.in", {"channel": "app"}, NOW, "bank.app")
    edge = raw("2", "logged.in", {"channel": "web"}, NOW - DAY, "bank.app")
    late = raw("3", "logged.in", {"channel": "web"}, NOW - DAY - 1, "bank.app")
    outcome = run(newest, edge, late, context=context)
    assert outcome.counts["late"] == 1
    assert outcome.records[WHO].activity.late == 1
    visits = outcome.records[WHO].activity.visits
    assert (visits.logins, visits.by_channel) == (3, {"app": 1, "web": 2}), "folded all the same"
    assert visits.last_login_at == NOW


def test_a_summary_tells_cards_loans_interests_and_benefits_one_by_one() -> None:
    record, at = Record(WHO), NOW - 40 * DAY
    temporary = {"card": "5600-2", "currency": "USD", "limit": "20000", "previous": "9000"}
    temporary["temporary_until"] = "2023-11-20"
    told: list[tuple[str, dict[str, Any], int]] = [
        ("card.issued", {"card": "5600-2", "product": "travel", "currency": "USD"}, at),
        ("card.limit_changed", temporary, at + 1),
        (
            "statement.issued",
            {
                "card": "5600-1",
                "statement": "S1",
                "currency": "CNY",
                "amount_due": "12.5",
                "due_on": "2023-11-30",
            },
            at + 2,
        ),
        ("loan.drawn", loan("1000"), at + 3),
        ("loan.repaid", loan("300"), NOW - 2 * DAY),
        ("interest.recorded", {"interest": "golf", "given_by": "RM1"}, at + 4),
        ("interest.recorded", {"interest": "tea"}, at + 5),
        ("benefit.used", benefit("lounge", "30", "USD", "210"), at + 6),
        ("benefit.used", benefit("lounge", "100", "CNY", "100"), at + 7),
        ("benefit.used", {"benefit": "gift"}, at + 8),
    ]
    raws = [raw(str(n), kind, data, when) for n, (kind, data, when) in enumerate(told)]
    summaries = [profiles(run(one, record=record)) for one in raws]
    assert all(len(one) == 1 for one in summaries), "each of them tells something new"
    data = summaries[-1][0].data
    first, second = data.card_details
    assert (first.card, first.limit, first.amount_due) == ("5600-1", None, Decimal("12.5"))
    assert first.due_on == "2023-11-30"
    assert (second.card, second.product, second.currency) == ("5600-2", "travel", "USD")
    assert (second.limit, second.amount_due) == (Decimal(20_000), None)
    assert second.limit_until == "2023-11-20"
    assert data.standing_limits == {"5600-2": 9_000}
    assert data.loans_by_month == {"2023-10": Decimal(1_000), "2023-11": Decimal(700)}
    assert data.base_loans == 700
    assert (data.interests, data.interest_sources) == (["golf", "tea"], {"golf": "RM1"})
    assert data.benefit_uses == {"lounge": 2, "gift": 1}
    assert data.base_benefit_costs == {"lounge": 310}
    assert (data.benefits, data.base_benefit_cost) == (3, 310)


def loan(amount: str) -> dict[str, Any]:
    told = {"loan": "L1", "kind": "mortgage", "amount": amount, "currency": "CNY"}
    return told | {"base_amount": amount}


def benefit(name: str, cost: str, currency: str, base_cost: str) -> dict[str, Any]:
    return {"benefit": name, "cost": cost, "currency": currency, "base_cost": base_cost}


def test_a_summary_says_what_the_record_keeps_no_longer() -> None:
    record = Record(WHO)
    balance = {"currency": "CNY", "balance": "1000", "base_balance": "1000"}
    raws = [
        raw(str(n), "balance.reported", balance | {"account": f"A{n}"}, NOW - DAY)
        for n in range(MAX_ACCOUNTS + 2)
    ]
    (data,) = (one.data for one in profiles(run(*raws[:1], record=record)))
    assert data.dropped == {}
    data = profiles(run(*raws[1:], record=record))[-1].data
    assert (data.accounts, data.dropped) == (MAX_ACCOUNTS, {"accounts": 2})
