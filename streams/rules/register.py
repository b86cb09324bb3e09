"""The register of rules as it was read: which definitions are in force at an offset.

A worker keeps one RuleBook. A chunk is stepped with the rules of one state of the register, which
the position names by its offset, so that an oracle makes the same ones again.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct
from pydantic import ValidationError

from schemas.rule_register import (
    ACTIVE_KEY,
    Active,
    Isolated,
    RegisterKey,
    RuleVersion,
    Standing,
    decode_active,
    decode_isolated,
    decode_version,
    parse_key,
)
from schemas.rules import RuleDefinition, Status
from streams.inputs import Raw
from streams.rules.compiler import NO_RULES
from streams.rules.ruleset import RuleSet

_KEPT = 16
"""So many of the last states, in case the newest cannot be used."""


class RegisterError(ValueError):
    """A state of the register that cannot be used; one line."""


class State(Struct, frozen=True):
    """What the register says at a moment."""

    offset: int = 0
    """Up to here, not including it, stands what it follows from; 0: nothing was published."""
    active: Active | None = None
    """None: the rules of files are in force."""
    isolated: frozenset[tuple[str, int]] = frozenset()
    """Rules and versions that run in shadow whatever else is said."""

    def isolated_in_force(self) -> frozenset[tuple[str, int]]:
        """Without the versions that others have taken the place of; of files that is not known."""
        if self.active is None:
            return self.isolated
        return self.isolated & {(rule, one.version) for rule, one in self.active.rules.items()}


class InForce(Struct, frozen=True):
    """The rules in force, and the state of the register that they follow from."""

    rules: RuleSet
    state: State = State()


NOTHING = InForce(NO_RULES)


class Stood(NamedTuple):
    """As what a rule is in force from a publication or an isolation on."""

    offset: int
    """The state of the register that ends here is the first that says so."""
    at: str
    """Real time, ISO 8601."""
    standing: Standing
    is_first: bool
    """It is told by the first publication that is there: the rule may have stood so before."""
    is_isolated: bool = False


class RuleBook:
    """Takes the messages of `vip.rules` in the order of offsets."""

    def __init__(self, kept: int | None = _KEPT) -> None:
        """So many of the last states are kept; None: all of them."""
        self.versions: dict[tuple[str, int], RuleVersion] = {}
        self.isolations: dict[tuple[str, int], Isolated] = {}
        self.unusable: dict[bytes, tuple[int, str]] = {}
        """By their keys, the last messages that count for nothing: their offsets, and why."""
        self.standings: dict[str, list[Stood]] = {}
        """Of each rule what it was in force as, one after the other."""
        self._states = deque([State()], maxlen=kept)
        self._definitions: dict[tuple[str, int, Status], RuleDefinition] = {}

    def take(self, raw: Raw) -> str:
        """Apply one message. Returns what is wrong with it, if anything is: then it counts for
        nothing."""
        key = raw.key or b""
        if problem := self._problem(key, raw):
            self.unusable[key] = raw.offset, problem
        else:
            self.unusable.pop(key, None)
        return problem

    def _problem(self, key: bytes, raw: Raw) -> str:
        try:
            if key == ACTIVE_KEY:
                return self._take_active(raw)
            if (parsed := parse_key(key)) is None:
                return "its key is not one of the register's"
            if parsed.kind == "rule":
                return self._take_version(parsed, raw.value)
            return self._take_isolation(parsed, raw)
        except msgspec.MsgspecError as error:
            return f"it is no such record: {error}"

    @property
    def state(self) -> State:
        """The newest."""
        return self._states[-1]

    def spoilt(self) -> dict[bytes, RuleVersion | Active | Isolated | None]:
        """Under which keys there is something that is known and that what was sent last does not
        say, with that (None: nothing is there). Kafka drops it when it compacts the topic."""
        found: dict[bytes, RuleVersion | Active | Isolated | None] = {}
        for key in self.unusable:
            parsed = parse_key(key)
            if key == ACTIVE_KEY and self.state.active is not None:
                found[key] = self.state.active
            elif parsed is not None and parsed.kind == "isolated":
                found[key] = self.isolations.get((parsed.rule, parsed.version))
            elif parsed is not None and (parsed.rule, parsed.version) in self.versions:
                found[key] = self.versions[parsed.rule, parsed.version]
        return found

    def at(self, offset: int) -> State | None:
        """The state up to an offset; None if none of those that are kept ends there."""
        return next((one for one in self._states if one.offset == offset), None)

    def latest(self) -> Sequence[State]:
        """The last states, the newest first."""
        return list(reversed(self._states))

    def definitions(self, state: State, of_files: Sequence[RuleDefinition]) -> list[RuleDefinition]:
        """The rules that a state puts in force. Raises RegisterError.

        `of_files` are those that are while nothing was published.
        """
        if state.active is None:
            found = of_files
        else:
            found = [self._definition(rule, one) for rule, one in state.active.rules.items()]
        return [
            one.model_copy(update={"status": "shadow"})
            if one.status == "live" and (one.id, one.version) in state.isolated
            else one
            for one in found
        ]

    def version(self, rule: str, version: int) -> RuleDefinition | None:
        """A version with the status that it has or had last, or that its author asks for; None
        where there is none. Raises RegisterError."""
        if (kept := self.versions.get((rule, version))) is None:
            return None
        stood = [one.standing for one in self.standings.get(rule, ())]
        mine = [one for one in stood if one.version == version]
        if mine:
            return self._definition(rule, mine[-1])
        asked: Status = msgspec.json.decode(kept.definition)["status"]
        return self._definition(rule, Standing(version, asked))

    def stood_as(self, rule: str, one: Stood) -> RuleDefinition:
        """A rule as it ran, or did not, while it stood so. Raises RegisterError."""
        standing = one.standing
        if one.is_isolated and standing.status == "live":
            standing = Standing(standing.version, "shadow")
        return self._definition(rule, standing)

    def _definition(self, rule: str, standing: Standing) -> RuleDefinition:
        key = (rule, standing.version, standing.status)
        if (known := self._definitions.get(key)) is not None:
            return known
        text = self.versions[rule, standing.version].definition
        where = f"{rule}@{standing.version}"
        try:
            found = RuleDefinition.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise RegisterError(f"{where}: {place}: {first['msg']}") from None
        if (found.id, found.version) != (rule, standing.version):
            raise RegisterError(f"{where} holds {found.id}@{found.version}")
        found = found.model_copy(update={"status": standing.status})
        self._definitions[key] = found
        return found

    def _take_version(self, key: RegisterKey, value: bytes | None) -> str:
        name = key.rule, key.version
        if value is None:
            return "a version of a rule is never removed"
        version = decode_version(value)
        if name in self.versions and self.versions[name].definition != version.definition:
            return "a version of a rule is never changed"
        self.versions.setdefault(name, version)
        return ""

    def _take_active(self, raw: Raw) -> str:
        if raw.value is None:
            return "which rules are in force is never removed"
        active = decode_active(raw.value)
        for rule, standing in active.rules.items():
            if (rule, standing.version) not in self.versions:
                return f"it names {rule}@{standing.version}, which is not in the register"
        is_first = self.state.active is None
        state = State(raw.offset + 1, active, self.state.isolated)
        self._stand(state, active.at, is_first=is_first)
        self._states.append(state)
        return ""

    def _stand(self, state: State, at: str, *, is_first: bool = False) -> None:
        """Note what stands otherwise than before."""
        for rule, standing in state.active.rules.items() if state.active else ():
            is_isolated = (rule, standing.version) in state.isolated
            stood = self.standings.setdefault(rule, [])
            if not stood or (stood[-1].standing, stood[-1].is_isolated) != (standing, is_isolated):
                stood.append(Stood(state.offset, at, standing, is_first, is_isolated))

    def _take_isolation(self, key: RegisterKey, raw: Raw) -> str:
        name = key.rule, key.version
        if raw.value is None:
            self.isolations.pop(name, None)
        else:
            self.isolations[name] = decode_isolated(raw.value)
        isolated = frozenset(self.isolations)
        if isolated != self.state.isolated:
            state = State(raw.offset + 1, self.state.active, isolated)
            self._states.append(state)
            if name in self.isolations:  # what lifts one comes with a publication, which says when
                self._stand(state, self.isolations[name].at)
        return ""
