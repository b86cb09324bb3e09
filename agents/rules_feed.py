"""The rules in force: read from the register before any event is stepped, followed from then on.

They are compiled on the thread that follows, while the event loop goes on with those before; a
runner takes what is in force when it begins a chunk. A state of the register that cannot be used
changes nothing: what was in force stays, and that is said.
"""

import time
from collections import Counter
from collections.abc import Iterator

import structlog

from agents.clock import real_millis
from agents.follower import Follower
from agents.isolation import Isolation
from agents.register import compile_state
from config.settings import Settings
from schemas import metrics as m
from schemas.rule_register import RULES_TOPIC
from schemas.rules import RuleDefinition
from sinks.metrics import Metrics
from streams.context import CoreSettings
from streams.inputs import Raw
from streams.rules.register import NOTHING, InForce, RegisterError, RuleBook, State

_BREATH_S = 0.005

logger = structlog.get_logger()


class RulesFeedError(Exception):
    """No state of the register can be used; one line for each problem of the newest."""


class RulesFeed:
    """`now` and `failed` are for the event loop."""

    def __init__(self, settings: Settings, core: CoreSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._compiler = core.compiler(self._breathe)
        self._metrics = metrics
        self._book = RuleBook()
        self._tried: State | None = None
        self._in_force = NOTHING
        self._raised: Counter[str] = Counter()
        self._isolation = Isolation(settings)
        self._follower = Follower(
            settings.kafka, "vipcare-rules", (RULES_TOPIC,), self._take, self._look
        )
        self._refused = (-1, "")
        """The newest message of which something is refused: its offset, and why."""
        self._spoilt = (-1, "")
        """The newest in whose place something else stood."""

    def now(self) -> InForce:
        return self._in_force

    @property
    def refused(self) -> str:
        """What came after the rules in force and is refused, or took the place of what is known,
        and why; empty if there is no such thing."""
        in_force = self._in_force.state.offset
        later = self._refused if self._refused[0] >= in_force else self._spoilt
        return f"offset {later[0]}: {later[1]}" if later[1] else ""

    def failed(self, rule: str, errors: int) -> None:
        """A rule raised so many times in a chunk. One in shadow has nothing to be switched off, but
        whoever tries it must see it."""
        for one in self._in_force.rules.definitions:
            if one.id == rule:
                self._note(one, errors)
                if one.status == "live":
                    self._isolation.failed(one, errors)

    def _note(self, rule: RuleDefinition, errors: int) -> None:
        name = f"{rule.id}@{rule.version}"
        if name not in self._raised:
            logger.warning("rule_raised", rule=rule.id, version=rule.version, status=rule.status)
        self._raised[name] += errors

    def told(self) -> dict[str, object]:
        """For the operator."""
        in_force = self._in_force
        active = in_force.state.active
        return {
            "running": in_force.rules.running,
            "register": in_force.state.offset,
            "publication": active.number if active else None,
            "digest": in_force.rules.digest[:12],
            "isolated": [f"{rule}@{version}" for rule, version in sorted(in_force.state.isolated)],
            "raised": dict(self._raised),
            "refused": self.refused,
        }

    def start(self) -> None:
        """Returns when rules are in force. Raises FollowError, RulesFeedError, and what reading the
        files raises."""
        self._follower.start()
        logger.info("rules_read", **self.told())

    def stop(self) -> None:
        self._follower.stop()

    def _take(self, raw: Raw) -> None:
        if problem := self._book.take(raw):
            self._refuse(raw.offset, problem)

    def _look(self) -> None:
        newest, unusable = self._book.state, self._book.unusable
        self._spoilt = max((unusable[key] for key in self._book.spoilt()), default=(-1, ""))
        if newest is not self._tried:
            self._tried = newest
            self._change()
        self._isolation.publish(newest.isolated)

    def _change(self) -> None:
        """To the newest state that can be used."""
        begun = time.perf_counter()
        problems: list[tuple[int, str]] = []
        for state in self._candidates():
            try:
                rules = compile_state(self._book, state, self._settings, self._compiler)
            except RegisterError as error:
                problems.append((state.offset, str(error)))
            else:
                self._put(InForce(rules, state), time.perf_counter() - begun)
                break
        if problems and self._in_force is NOTHING:
            raise RulesFeedError(f"no rules of {RULES_TOPIC} can be used: {problems[0][1]}")
        for offset, problem in reversed(problems):
            self._refuse(offset, problem)

    def _refuse(self, offset: int, problem: str) -> None:
        self._refused = max(self._refused, (offset, problem))
        self._metrics.count(m.RULES_REFUSED)
        logger.error("rules_refused", offset=offset, problem=problem)

    def _breathe(self) -> None:
        """Between two pieces of compiling: the event loop has the interpreter to itself then."""
        if self._in_force is not NOTHING:
            time.sleep(_BREATH_S)

    def _candidates(self) -> Iterator[State]:
        """The states that were not tried: from the newest to the one in force."""
        for state in self._book.latest():
            if state is self._in_force.state:
                return
            yield state

    def _put(self, in_force: InForce, seconds: float) -> None:
        before, self._in_force = self._in_force, in_force
        metrics, state = self._metrics, in_force.state
        metrics.set(m.RULES_REGISTER, state.offset)
        metrics.set(m.RULES_SINCE, real_millis() / 1_000)
        metrics.set(m.RULES_RELOAD_SECONDS, seconds)
        metrics.set(m.RULES_ISOLATED, len(state.isolated))
        metrics.set(m.RULES_RUNNING, in_force.rules.running)
        if before is not NOTHING:
            logger.info("rules_changed", seconds=round(seconds, 3), **self.told())
