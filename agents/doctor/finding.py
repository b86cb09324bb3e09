"""What a check may find, and what a check is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from agents.rights import ROLES, Role
from config.settings import Settings


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, and will not do so some day, or is not safe."""
    FAIL = "fail"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is one line without any secret; `advice` says what to do, empty where all is well."""

    verdict: Verdict
    what: str
    advice: str = ""


def ok(what: str) -> Finding:
    return Finding(Verdict.OK, what)


def warn(what: str, advice: str) -> Finding:
    return Finding(Verdict.WARN, what, advice)


def fail(what: str, advice: str) -> Finding:
    return Finding(Verdict.FAIL, what, advice)


@dataclass(frozen=True, slots=True)
class Examined:
    """Of whom: the settings in force, and the roles that are to run with them."""

    settings: Settings
    roles: frozenset[Role] = frozenset(ROLES)


Look = Callable[[Examined], Iterable[Finding]]
"""May raise what the clients of Kafka and ClickHouse raise; the runner tells it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question, asked for `roles` alone, and only if `after` has found nothing wrong."""

    name: str
    look: Look
    roles: frozenset[Role] = frozenset(ROLES)
    after: str = ""
