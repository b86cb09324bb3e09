"""The bank's traffic for kill tests: five topics that share customers, facts that change under
them, and every kind of mishap.

What is sent follows from a seed and the bank clock. It is told to a ledger, which is all that the
auditor knows: it is independent of everything that the pipeline computes.
"""

import json
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from agents.clock import BankClock
from schemas.events.reference import GLOBAL_TOPICS
from streams.partitioning import partition_of

CUSTOMERS = 2_000
REGULARS = 40
"""A few customers have a third of all events: chunks hold several events of one record."""
_RESENT = 300
_DAY = timedelta(days=1)
_ENVELOPE = {"specversion": "1.0", "source": "tests/kill"}


class Message(NamedTuple):
    topic: str
    key: bytes
    value: bytes | None
    partition: int
    stored: bool
    """Whether the sink can make a row of it: it is an event of a known type."""


@dataclass
class Ledger:
    """What was sent."""

    transfers: set[str] = field(default_factory=set)
    """Ids of the transfers that count: each must have one alert, and nothing else may."""
    stored: int = 0
    """How many messages ClickHouse's table of events must show."""
    sent: int = 0
    large: int = 0
    """Deposits of which timers may tell."""

    def note(self, message: Message) -> None:
        self.sent += message.topic not in GLOBAL_TOPICS
        self.stored += message.stored


class Traffic:
    """An endless stream of messages. `name` keeps ids apart from those of other streams."""

    def __init__(self, name: str, clock: BankClock, partitions: int, ledger: Ledger) -> None:
        self._name = name
        self._chance = random.Random(name)
        self._clock = clock
        self._partitions = partitions
        self._ledger = ledger
        self._number = 0
        self._recent: deque[Message] = deque(maxlen=_RESENT)
        self._deposits: dict[str, list[str]] = {}

    def __iter__(self) -> Iterator[Message]:
        while True:
            message = self._next()
            self._ledger.note(message)
            yield message

    def _next(self) -> Message:
        if self._recent and self._chance.random() < 0.02:
            return self._chance.choice(self._recent)
        self._number += 1
        mishap = self._chance.random()
        for share, make in self._mishaps():
            if mishap < share:
                return make()
            mishap -= share
        return self._good()

    def _mishaps(self) -> tuple[tuple[float, Callable[[], Message]], ...]:
        return (
            (0.005, self._broken),
            (0.005, self._wrong_key),
            (0.003, self._wrong_partition),
            (0.002, self._future),
            (0.002, self._unknown),
            (0.002, self._conflict),
            (0.001, self._empty),
            (0.001, self.rate),
            (0.0005, self._campaign),
        )

    def _good(self) -> Message:
        topic, event = self._event()
        if event["type"] == "transfer.completed":
            self._ledger.transfers.add(event["id"])
        message = self._message(topic, event)
        self._recent.append(message)
        return message

    def _broken(self) -> Message:
        message = self._message(*self._event())
        return message._replace(value=(message.value or b"")[:-10], stored=False)

    def _wrong_key(self) -> Message:
        topic, event = self._event()
        return self._message(topic, event, key="C9999999")

    def _wrong_partition(self) -> Message:
        message = self._message(*self._event())
        return message._replace(partition=(message.partition + 1) % self._partitions)

    def _future(self) -> Message:
        topic, event = self._event()
        event["time"] = (self._now() + 400 * _DAY).isoformat()
        return self._message(topic, event)

    def _unknown(self) -> Message:
        topic, event = self._event()
        return self._message(topic, {**event, "type": "weather.changed"})._replace(stored=False)

    def _conflict(self) -> Message:
        """The id of an event that came before, with other content: the first one counts."""
        earlier = [one for one in self._recent if b"transfer.completed" in (one.value or b"")]
        if not earlier:
            return self._good()
        message = self._chance.choice(earlier)
        event = json.loads(message.value or b"")
        event["data"]["base_amount"] = "1.23"
        return message._replace(value=json.dumps(event).encode())

    def _empty(self) -> Message:
        return self._message(*self._event())._replace(value=None, stored=False)

    def rate(self) -> Message:
        """The rate of the transfers that tell no amount in the base currency: a new one."""
        key = "exchange_rate:USD"
        event = {
            **_ENVELOPE,
            "id": f"{self._name}-rate-{self._number}",
            "type": "exchange_rate.set",
            "subject": key,
            "time": self._now().isoformat(),
            "data": {"exchange_rate": "USD", "rate": f"7.{self._chance.randrange(10_000):04d}"},
        }
        return Message("bank.reference", key.encode(), json.dumps(event).encode(), 0, stored=False)

    def _campaign(self) -> Message:
        name, now = f"{self._name}-{self._number}", self._now()
        days = {"starts_on": str(now.date()), "ends_on": str((now + 30 * _DAY).date())}
        event = {
            **_ENVELOPE,
            "id": name,
            "type": "campaign.announced",
            "subject": f"campaign:{name}",
            "time": now.isoformat(),
            "data": {"campaign": name, "category": "x", "title_zh": "一", "title_en": "X", **days},
        }
        key = event["subject"].encode()
        return Message("bank.campaign", key, json.dumps(event).encode(), 0, stored=False)

    def _message(self, topic: str, event: dict[str, Any], key: str = "") -> Message:
        whose = (key or event["subject"]).encode()
        partition = partition_of(whose, self._partitions)
        return Message(topic, whose, json.dumps(event).encode(), partition, stored=True)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now() / 1_000, UTC)

    def _event(self) -> tuple[str, dict[str, Any]]:
        chance = self._chance
        regular = chance.random() < 0.3
        customer = f"C{chance.randrange(REGULARS if regular else CUSTOMERS):07d}"
        topic, kind, data = self._content(customer)
        late = chance.random() < 0.02
        ago = 3 * _DAY * chance.random() if late else timedelta(hours=chance.random())
        return topic, {
            **_ENVELOPE,
            "id": f"{self._name}-{self._number}",
            "type": kind,
            "subject": customer,
            "time": (self._now() - ago).isoformat(),
            "data": data,
        }

    def _content(self, customer: str) -> tuple[str, str, dict[str, Any]]:
        chance = self._chance
        amount = f"{chance.randrange(1, 300_000)}.{chance.randrange(100):02d}"
        money = {"amount": amount, "currency": "CNY", "base_amount": amount}
        name = f"{self._name}-{self._number}"
        kind = chance.choices(
            ("transfer", "card", "page", "login", "deposit", "profile", "complaint", "feedback"),
            (40, 20, 14, 10, 6, 6, 2, 2),
        )[0]
        match kind:
            case "transfer":
                way = chance.choice(("in", "out"))
                account = {"transfer": name, "account": "A1", "direction": way}
                country = chance.choice(("CN", "US"))
                if country == "US" and chance.random() < 0.5:
                    money = {"amount": amount, "currency": "USD"}
                data = {**account, **money, "counterparty_country": country}
                return "bank.core", "transfer.completed", data
            case "card":
                card = {"card": "K1", "payment": name, "category": "5411", "country": "CN"}
                return "bank.card", "card.settled", {**card, **money, "presence": "present"}
            case "page":
                data = {"page": "p.html", "page_topic": chance.choice(("study-abroad", "fx"))}
                return "bank.app", "page.viewed", data
            case "login":
                return "bank.app", "logged.in", {"channel": "app"}
            case "deposit":
                return self._deposit(customer, name)
            case "complaint":
                data = {"case": name, "about": "fees", "channel": "app"}
                return "bank.service", "complaint.raised", data
            case "feedback":
                return "crm.feedback", "task.accepted", {"task": name, "by": "R1"}
        soon = self._now() + (1 + 3 * chance.random()) * _DAY
        about = {"tier": chance.choice(("gold", "black")), "rm": "R1"}
        return "bank.core", "customer.updated", {**about, "birthday": f"1980-{soon:%m-%d}"}

    def _deposit(self, customer: str, name: str) -> tuple[str, str, dict[str, Any]]:
        """Placed, and sometimes moved or given back before its timer is due."""
        chance, mine = self._chance, self._deposits.setdefault(customer, [])
        if mine and chance.random() < 0.2:
            gone = mine.pop(chance.randrange(len(mine)))
            data = {"deposit": gone, "amount": "2000000.00", "currency": "CNY", "early": True}
            return "bank.core", "deposit.redeemed", data
        moved = bool(mine) and chance.random() < 0.3
        if not moved:
            mine.append(name)
        principal = f"{chance.choice((100_000, 2_000_000))}.00"
        self._ledger.large += principal.startswith("2")
        matures = self._now() + (6 + 5 * chance.random()) * _DAY
        data = {
            "deposit": chance.choice(mine) if moved else name,
            "principal": principal,
            "currency": "CNY",
            "base_principal": principal,
            "rate": "0.0145",
            "matures_on": matures.date().isoformat(),
        }
        return "bank.core", "deposit.renewed" if moved else "deposit.placed", data
