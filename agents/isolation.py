"""Which rules raise too often in this worker, and how the others hear of it.

A rule that raised so often is switched to shadow through the register: every worker runs it so from
the chunk on before which it reads that there, this one too, and the position names the place. It is
audited as every change is. Of workers that find out at once one tells it: they share a
transactional id, and look at the register first.
"""

import socket
import threading
import time
from collections import Counter

import structlog

from agents.reading import ReadingError
from agents.registrar import Registrar, RegistrarError
from config.settings import Settings
from schemas.rules import RuleDefinition

_AGAIN_S = 5.0

logger = structlog.get_logger()

Name = tuple[str, int]
"""A rule, and its version."""


class Isolation:
    """`failed` is for the event loop, `publish` for the thread that follows the register."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limit = settings.worker.rule_errors
        self._errors: Counter[Name] = Counter()
        self._told: set[Name] = set()
        self._lock = threading.Lock()
        self._again = 0.0
        """When Kafka is asked again after it did not take it."""

    def failed(self, rule: RuleDefinition, errors: int) -> None:
        """A live rule raised so many times more."""
        name = rule.id, rule.version
        with self._lock:
            before = self._errors[name]
            self._errors[name] += errors
        if before < self._limit <= before + errors:
            logger.error("rule_isolated", rule=rule.id, version=rule.version, errors=self._limit)

    def publish(self, isolated: frozenset[Name]) -> None:
        """Tell of the rules that are over the limit and not in the register yet.

        What Kafka did not take is told again with a later call.
        """
        with self._lock:
            over = [name for name, errors in self._errors.items() if errors >= self._limit]
            for name in isolated.intersection(over):  # counts anew if that is lifted
                del self._errors[name]
        self._told -= isolated
        for name in over:
            if name not in isolated | self._told and time.monotonic() >= self._again:
                self._tell(*name)

    def _tell(self, rule: str, version: int) -> None:
        who, identity = f"worker@{socket.gethostname()}", f"{self._settings.worker.app}-isolation"
        try:
            with Registrar(self._settings, who, "worker", identity) as register:
                if (rule, version) not in register.book.isolations:
                    register.isolate(rule, version, self._errors[rule, version])
        except (RegistrarError, ReadingError) as error:
            logger.warning("isolation_not_told", rule=rule, error=str(error))
            self._again = time.monotonic() + _AGAIN_S
        else:
            self._told.add((rule, version))
