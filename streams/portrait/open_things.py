"""What waits for somebody: what matures or is due soon, tasks and complaints, rules that wait."""

from collections.abc import Iterator
from datetime import date, timedelta, tzinfo
from decimal import Decimal

from schemas.activity import Contact, unpack_line, unpack_reversible
from schemas.envelope import from_millis
from schemas.profile import Card, ProfileSection
from schemas.record import Record
from streams.durations import DAY_MS
from streams.fold.transfers import kept_fields
from streams.portrait.instants import instant
from streams.portrait.parts import Amount, Table, Value
from streams.portrait.profile import as_day
from streams.rules.ruleset import RuleSet
from streams.timers import parts_of
from streams.waits import absence
from streams.waits.own import FAMILY, OWN
from streams.waits.waking import would_fire

SOON_DAYS = 30
"""What is due within so many days is something to talk about; so is a complaint as young."""
GRACE_DAYS = 7
PAYS_A_BILL = "card statement"
"""The purpose of a transfer that pays a card's bill."""
_AT_WORK = {"task.accepted": "task accepted", "task.started": "task started"}
_OVER = ("task.completed", "task.declined", "outcome.recorded")

Row = tuple[Value, ...]


def open_things(record: Record, zone: tzinfo, today: date, rules: RuleSet) -> Table:
    """By their times, the next first."""
    line = unpack_line(record.activity.line)
    rows = [row for row in _due(record.profile) if _is_soon(row[0], today)]
    rows += _bills(record, today)
    rows += [row for row in _limits(record.profile) if _is_soon(row[0], today, since=today)]
    rows += [*_timers(record, zone, today, rules), *_tasks(line, zone)]
    rows += _complaints(line, zone, record.activity.latest - SOON_DAYS * DAY_MS)
    rows.sort(key=lambda row: (str(row[0]), str(row[1]), str(row[2])))
    return Table("open", ("when", "what", "name", "amount"), tuple(rows))


def _is_soon(day: Value, today: date, since: date = date.min) -> bool:
    return isinstance(day, date) and since <= day <= today + timedelta(days=SOON_DAYS)


def _due(section: ProfileSection) -> Iterator[Row]:
    """What stays open after its day, whenever that is."""
    for name, deposit in section.deposits.items():
        if deposit.state == "open":
            amount = Amount(deposit.principal, deposit.currency)
            yield as_day(deposit.matures_on), "deposit matures", name, amount
    for name, holding in section.holdings.items():
        if holding.matures_on is not None and holding.amount > 0:
            amount = Amount(holding.amount, holding.currency)
            yield as_day(holding.matures_on), f"{holding.product_class} matures", name, amount
    for name, loan in section.loans.items():
        if loan.due_on is not None and loan.amount > 0:
            yield as_day(loan.due_on), "loan is due", name, Amount(loan.amount, loan.currency)


def _bills(record: Record, today: date) -> Iterator[Row]:
    """Nobody has to tell that a bill was paid: after its day it is listed for a short time only."""
    since = today - timedelta(days=GRACE_DAYS)
    for name, card in record.profile.cards.items():
        day = None if card.due_on is None else as_day(card.due_on)
        if card.amount_due > 0 and _is_soon(day, today, since) and not _is_paid(record, card):
            over = isinstance(day, date) and day < today
            what = "card was due, payment not told" if over else "card is due"
            yield day, what, name, Amount(card.amount_due, card.statement_currency)


def _is_paid(record: Record, card: Card) -> bool:
    """A transfer since the statement says so, among the last ones that the record keeps."""
    for transfer in map(unpack_reversible, record.activity.transfers):
        told = kept_fields(transfer)
        pays = told["purpose"] == PAYS_A_BILL and told["direction"] == "out"
        same = told["currency"] == card.statement_currency
        whole = Decimal(told["amount"] or 0) == card.amount_due
        if pays and same and whole and transfer.at >= card.statement_at and not transfer.reversed:
            return True
    return False


def _limits(section: ProfileSection) -> Iterator[Row]:
    for name, card in section.cards.items():
        if card.limit_until is not None and card.limit is not None:
            limit = Amount(card.limit, card.limit_currency)
            yield as_day(card.limit_until), "temporary limit ends", name, limit


def _timers(record: Record, zone: tzinfo, today: date, rules: RuleSet) -> Iterator[Row]:
    """Every deposit's rules wait, whatever their conditions: told are those that would fire. What
    comes every year always waits: told is what comes soon."""
    for key, timer in record.activity.timers.items():
        rule, kind, name = parts_of(key)
        due, is_own = from_millis(timer.due).astimezone(zone), kind in (OWN, FAMILY)
        if timer.fired or (is_own and not _is_soon(due.date(), today)):
            continue
        if would_fire(record, key, timer, rules):
            known = is_own or kind == absence.KIND
            yield due, "rule waits", rule if known else f"{rule}:{name}", None


def _tasks(line: list[Contact], zone: tzinfo) -> Iterator[Row]:
    """Those that somebody took on and that are not over, as far as the service line tells."""
    last = {one.name: one for one in line if one.type in _AT_WORK}
    over = {one.name for one in line if one.type in _OVER}
    for name, one in last.items():
        if name not in over:
            yield instant(one.at, zone), _AT_WORK[one.type], name, None


def _complaints(line: list[Contact], zone: tzinfo, since: int) -> Iterator[Row]:
    """Nobody tells when a case is closed, so the young ones are shown."""
    for one in line:
        if one.type == "complaint.raised" and one.at >= since:
            yield instant(one.at, zone), f"complaint, {one.about}", one.name, None
