"""Reads an archive, makes every customer's share on all cores, and sends them."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from struct import Struct as Packer
from typing import NamedTuple
from uuid import uuid4

from agents.backtest.archived import Archived
from agents.backtest.pool import each, spare_collector
from agents.backtest.spill import Share, Spill
from agents.clock_check import AS_THE_WORKERS
from agents.own_folder import own_folder
from agents.sending import Sending
from agents.warming.error import WarmingError
from agents.warming.history import History
from agents.warming.plan import Plan, Show
from agents.warming.shares import Job, Maker
from agents.warming.tail import tail
from config.settings import Settings
from schemas.audit import AUDIT_TOPIC, Audited, RuleChange, RuleChanges, Warmed, encode_audited
from schemas.dead_letters import Reason
from schemas.decode import MAX_EVENT_BYTES
from schemas.envelope import from_millis
from schemas.events import INTERNAL
from schemas.filling import PARTITION_KEY, encode_fill
from streams.filling import done

_LENGTHS = Packer(">II")


class Filled(NamedTuple):
    """What was sent, or would be."""

    customers: int
    bytes: int
    messages: int
    """How many the archive has."""
    since: int
    """How far back it goes, epoch milliseconds."""
    future: int = 0
    """Messages that are left out: they are dated after they were sent, as a worker refuses them."""


def warm(
    settings: Settings,
    plan: Plan,
    archive: Iterable[Archived],
    now: int,
    cores: int,
    show: Show,
    *,
    has_offsets: bool,
    partly: bool,
    who: str | None,
) -> Filled:
    """`now` is the bank's time: one before the cuts is refused. Without `partly` an archive that
    does not go back as far as the rule looks is refused. `who` does it, for the audit; None: it is
    a trial that sends nothing.

    Raises WarmingError, ArchiveError and SendingError: what was sent until then counts once, and
    is sent again the next time.
    """
    spare_collector()
    _check_now(plan, now)
    with own_folder() as folder:
        cuts = {partition: tuple(some.values()) for partition, some in plan.cuts.items()}
        history = History(cuts, plan.core.partitions)
        spill = Spill(folder, plan.core, now)
        whole = chain(archive, tail(settings, cuts, history))
        for _ in spill.fill(history.of(whole)):
            show("reading the archive", history.messages, 0)
        since = _checked(plan, history.since(), partly=partly)
        job = Job(
            rules=plan.sharing,
            core=plan.core,
            facts=spill.facts,
            numbers=plan.numbers,
            cuts=plan.cuts,
            since=since,
            now=now,
            until=max(now + plan.core.future_tolerance, spill.end),
            has_offsets=has_offsets,
        )
        future = spill.counts[f"dead:{Reason.FUTURE}"]
        cores = cores if spill.is_in_files else 1
        with closing(_filled(job, spill.shares(), cores, show)) as shares:
            if who is None:
                return _count(shares, history.messages, since)._replace(future=future)
            with Sending(settings.kafka, {INTERNAL, AUDIT_TOPIC}, "operator") as sending:
                sent = _count(_sent(shares, sending), history.messages, since)
                # Before workers are told that all is there: no rule is warmed unaudited.
                sending.send(AUDIT_TOPIC, who.encode(), _audited(plan, who, sent), partition=0)
                sending.flush()
                for partition, numbers in plan.numbers.items():
                    value = encode_fill(done(partition, numbers, since, now))
                    sending.send(INTERNAL, PARTITION_KEY, value, partition=partition)
        return sent._replace(future=future)


def _audited(plan: Plan, who: str, sent: Filled) -> bytes:
    rule, warmed = plan.rule, Warmed(customers=sent.customers, since=from_millis(sent.since))
    change = RuleChange(rule=rule.id, version=rule.version, status=rule.status)
    data = RuleChanges(number=0, changes=[change], warmed=warmed)
    now = datetime.now(UTC)
    return encode_audited(
        Audited(id=str(uuid4()), type="rules.warmed", subject=who, time=now, data=data)
    )


def _check_now(plan: Plan, now: int) -> None:
    if plan.last_cut > now + plan.core.future_tolerance:
        raise WarmingError(
            f"the clock here says {plan.day(now)}, and rule {plan.rule.id} came into force at "
            f"{plan.day(plan.last_cut)}: what happened between would be left out. {AS_THE_WORKERS}"
        )


def _checked(plan: Plan, since: int | None, *, partly: bool) -> int:
    if since is None or since >= plan.first_cut:
        raise WarmingError(
            f"the archive holds nothing from before {plan.day(plan.first_cut)}, when rule "
            f"{plan.rule.id} came into force"
        )
    if not plan.reaches(since) and not partly:
        raise WarmingError(
            f"the archive is whole from {plan.day(since)} on, and rule {plan.rule.id} looks back "
            f"further from {plan.day(plan.first_cut)}, when it came into force. With --partly what "
            f"there is is filled: the rule is warm from {plan.day(plan.warm_with(since))} on then, "
            f"and from {plan.day(plan.warm_from)} on if nothing is done. Windows are filled once: "
            "a longer archive cannot be used afterwards"
        )
    return since


def _count(shares: Iterable[tuple[bytes, bytes]], messages: int, since: int) -> Filled:
    customers = size = 0
    for _, value in shares:
        customers += 1
        size += len(value)
    return Filled(customers, size, messages, since)


def _sent(shares: Iterable[tuple[bytes, bytes]], sending: Sending) -> Iterator[tuple[bytes, bytes]]:
    for key, value in shares:
        sending.send(INTERNAL, key, value)
        yield key, value


def _filled(
    job: Job, shares: Sequence[Share], cores: int, show: Show
) -> Generator[tuple[bytes, bytes]]:
    """Of all customers, share by share as they are made."""
    total, ready = sum(share.size for share in shares), 0
    with closing(each(shares, cores, _writer, job)) as made:
        for share, _ in made:
            path = _path_of(share)
            for key, value in _unpacked(path.read_bytes()):
                _check_size(value)
                yield key, value
            path.unlink()
            ready += share.size
            show("filling", ready, total)


def _check_size(value: bytes) -> None:
    if len(value) > MAX_EVENT_BYTES:
        raise WarmingError(
            f"one customer's share has {len(value):,} bytes, and a worker takes "
            f"{MAX_EVENT_BYTES:,}: shorten the rule's windows"
        )


def _writer(job: Job) -> Callable[[Share], None]:
    return partial(_write, Maker(job))


def _write(maker: Maker, share: Share) -> None:
    """What is filled of a share, into its file."""
    with _path_of(share).open("wb") as file:
        for key, value in maker.fill(share):
            file.write(_LENGTHS.pack(len(key), len(value)) + key + value)


def _path_of(share: Share) -> Path:
    return share.path.with_suffix(".fills")


def _unpacked(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        key_size, size = _LENGTHS.unpack_from(data, at)
        middle = at + _LENGTHS.size + key_size
        yield data[at + _LENGTHS.size : middle], data[middle : middle + size]
        at = middle + size
