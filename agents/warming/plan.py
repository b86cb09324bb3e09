"""What of a rule can be filled, partition by partition."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from agents.backtest.choice import Known, in_force
from agents.core import core_settings
from agents.reading import ReadingError
from agents.rule_name import RuleNameError, rule_and_version
from agents.warming.cuts import Cut, Kept, read_cuts
from agents.warming.error import WarmingError
from config.settings import Settings
from schemas.rules import RuleDefinition
from streams.context import CoreSettings
from streams.expressions.parse import nearest
from streams.months import minute_at
from streams.reach import LookBack, Reach

Show = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Plan:
    rule: RuleDefinition
    looks: Sequence[LookBack]
    """How far back the rule looks."""
    sharing: Sequence[RuleDefinition]
    """The rules in force that keep one of its windows, itself among them."""
    core: CoreSettings
    numbers: Mapping[int, Mapping[str, int]]
    """Partition → the keys of what can be filled → the chunks that began it."""
    cuts: Mapping[int, Mapping[int, Cut]]
    warm_from: int
    """From when on the rule is warm if nothing is done; epoch milliseconds."""

    otherwise: int
    """From when on the windows that are not filled reach back as far as it looks."""

    def warm_with(self, since: int) -> int:
        """From when on it is warm with an archive that goes back so far."""
        filled = [look.warm_from(min(since, cut.time), self.zone) for look, cut in self._filled()]
        return max([*filled, self.otherwise])

    def reaches(self, since: int) -> bool:
        """Whether the archive goes back as far as the rule looks from where its windows begin."""
        return all(look.warm_from(since, self.zone) <= cut.time for look, cut in self._filled())

    def _filled(self) -> Iterator[tuple[LookBack, Cut]]:
        for partition, numbers in self.numbers.items():
            for look in self.looks:
                if look.key in numbers:
                    yield look, self.cuts[partition][numbers[look.key]]

    @property
    def first_cut(self) -> int:
        return min(cut.time for _, cut in self._filled())

    @property
    def last_cut(self) -> int:
        return max(cut.time for _, cut in self._filled())

    @property
    def zone(self) -> tzinfo:
        return self.core.time_zone

    def day(self, at: int) -> str:
        return minute_at(at, self.zone)


def plan(settings: Settings, name: str, show: Show) -> Plan:
    """Raises WarmingError with the reason why nothing can be filled, ChoiceError, FileErrors."""
    known = in_force(settings)
    rule = _chosen(known, name)
    name = rule.id
    core = core_settings(settings)
    rules = core.compiled([*known.values()])
    looks = rules.looks_back(name)
    if not looks:
        raise WarmingError(f"rule {name} looks back at nothing: it is warm as it is")
    keys = {look.key for look in looks}
    asked_by = {one: keys & {look.key for look in rules.looks_back(one)} for one in known}
    shared = {key for one, some in asked_by.items() if one != name for key in some}
    parts = _parts(settings, show)
    numbers = {one.partition: one.numbers(looks, shared) for one in parts}
    numbers = {partition: some for partition, some in numbers.items() if some}

    def warm_from(one: Kept, filled: Container[str]) -> int:
        left = [look for look in looks if look.key not in filled]
        return Reach(one.reach).warm_from(left, core.time_zone)

    made = Plan(
        rule,
        looks,
        [known[one] for one, some in asked_by.items() if some],
        core,
        numbers,
        {
            one.partition: {number: one.cuts[number] for number in numbers[one.partition].values()}
            for one in parts
            if one.partition in numbers
        },
        max(warm_from(one, ()) for one in parts),
        max(warm_from(one, numbers.get(one.partition, {})) for one in parts),
    )
    if not numbers:
        raise WarmingError(_nothing(made, parts))
    return made


def _chosen(known: Known, name: str) -> RuleDefinition:
    try:
        name, version = rule_and_version(name)
    except RuleNameError as error:
        raise WarmingError(str(error)) from None
    rule = known.get(name)
    if rule is not None and version not in (None, rule.version):
        raise WarmingError(
            f"{name}@{version} is not in force, {name}@{rule.version} is: workers keep windows for "
            "what is in force alone"
        )
    if rule is None:
        raise WarmingError(
            f"there is no rule {name} in force{nearest(name, known)}: a rule is published and "
            "approved as shadow first, so that workers keep its windows from then on"
        )
    if rule.status not in ("shadow", "live"):
        raise WarmingError(
            f"rule {name} is {rule.status}: workers keep no windows for it. Approve it as shadow "
            f"first: vipcare rules approve {name} --status shadow --as NAME"
        )
    return rule


def _parts(settings: Settings, show: Show) -> list[Kept]:
    parts: list[Kept] = []
    count = 0
    try:
        for one in read_cuts(settings.kafka):
            if one is None:
                count += 1_000
                show("reading the journal", count, 0)
            elif one.last is not None:
                parts.append(one)
    except ReadingError as error:
        raise WarmingError(str(error)) from error
    if not parts:
        raise WarmingError("the journal is empty: no worker has stepped an event yet")
    return parts


def _nothing(made: Plan, parts: Sequence[Kept]) -> str:
    """Why there is nothing to fill."""
    name = made.rule.id
    last = max(one.last.partition_time for one in parts if one.last is not None)
    if made.warm_from <= last:
        return f"rule {name} is warm already: its windows reach back as far as it looks"
    others = ", ".join(one.id for one in made.sharing if one.id != name)
    because = "they were filled already, or began before the journal does"
    if others:
        because = f"they are kept for {others} too, which may be warmed, or {because}"
    return (
        f"rule {name} has no windows that could be filled: {because}. It is warm by itself from "
        f"{made.day(made.warm_from)} on"
    )
