"""The customers of the simulated bank whose storylines `vipcare up` shows, one after the other."""

import threading
import time
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from agents.bank.casting import stars
from agents.bank.plan import plan_of
from agents.bank.storyline import Storyline
from agents.clock import BankClock
from agents.core import declared_attributes, rule_set
from agents.local.plan import Plan
from agents.portrait.open_work import with_open_work
from agents.portrait.sources import SourceError, UnknownCustomerError, from_store, has_copy
from agents.rules_at_hand import RulesAtHand
from config.settings import Settings
from schemas.envelope import from_millis
from streams.portrait import portrait
from streams.portrait.parts import Portrait

_TURN_S = 6.0
"""How long one of them is shown."""
_FRESH_S = 2.0
"""How often what is shown is read again."""
_NO_STORE = (SourceError, UnknownCustomerError)


class Star(NamedTuple):
    """A customer who plays a storyline, as the record of this moment has it."""

    storyline: Storyline
    portrait: Portrait
    warning: str = ""
    """What is missing, and why."""


class Gallery:
    """Reads the records out of the workers' stores, on a thread of its own."""

    def __init__(self, plan: Plan) -> None:
        """Raises PlanError, StorylineErrors."""
        settings = plan.settings
        origin = BankClock.from_settings(settings.clock).now()
        self._stars: Sequence[tuple[Storyline, str]] = ()
        if plan.options.bank:
            self._stars = stars(plan_of(settings, origin))
        self._settings = settings
        self._stores = [_of_worker(plan, number + 1) for number in range(plan.options.workers)]
        self._declared = declared_attributes(settings)
        self._at_hand = RulesAtHand(settings)
        self._rules = rule_set(settings)
        self._zone = ZoneInfo(settings.step.time_zone)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, name="gallery", daemon=True)
        self.shown: Star | None = None
        """Whose turn it is; None until the first of them is known."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def all(self) -> list[Star]:
        """Everybody's portrait, as far as they are known, with the open tasks and alerts."""
        found = (self._read(storyline, customer) for storyline, customer in self._stars)
        return [self._completed(star) for star in found if star is not None]

    def _completed(self, star: Star) -> Star:
        return Star(star.storyline, *with_open_work(self._settings, star.portrait, self._zone))

    def _look(self) -> None:
        began, turn = time.monotonic(), -1
        while self._stars and not self._stopped.is_set():
            before, turn = turn, int((time.monotonic() - began) / _TURN_S) % len(self._stars)
            if turn != before:
                self._rules = self._at_hand.now()
            found = self._read(*self._stars[turn])
            self.shown = found or self.shown
            self._stopped.wait(_FRESH_S)

    def _read(self, storyline: Storyline, customer: str) -> Star | None:
        """Out of the store that has the customer; None if none has, or not yet."""
        for store in self._stores:
            if not has_copy(store, customer):
                continue
            try:
                record = from_store(store, customer).record
            except _NO_STORE:
                continue
            drawn = portrait(
                record,
                self._zone,
                self._today(),
                declared=self._declared,
                rules=self._rules,
                base_currency=self._settings.step.base_currency,
            )
            return Star(storyline, drawn)
        return None

    def _today(self) -> date:
        now = BankClock.from_settings(self._settings.clock).now()
        return from_millis(now).astimezone(self._zone).date()


def _of_worker(plan: Plan, number: int) -> Settings:
    """The settings under which a worker's store is found."""
    worker = plan.settings.worker.model_copy(update={"data": plan.worker_data(number)})
    return plan.settings.model_copy(update={"worker": worker})
