"""The life of a rule: what may become of it, and by whom.

An author publishes a version, which changes nothing; a publisher, who is not its author, puts it
in force. A new rule is tried in shadow before it is live; a live one is replaced by its next
version at once. One version of a rule is in force at a time.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from schemas.rule_register import Active, Standing
from schemas.rules import RuleDefinition, Status
from streams.rules.register import RuleBook

_ALLOWED: Mapping[Status | None, tuple[Status, ...]] = {
    None: ("shadow",),
    "draft": ("shadow",),
    "shadow": ("shadow", "live", "draft", "retired"),
    "live": ("live", "shadow", "retired"),
    "retired": ("shadow",),
}


class LifecycleError(ValueError):
    """What may not be done with a rule; one line that says what may."""


class Change(NamedTuple):
    """Of one rule."""

    rule: str
    before: Standing | None
    after: Standing
    lifts: bool = False
    """An isolation of the version ends with it."""


def is_new(book: RuleBook, brought: RuleDefinition) -> bool:
    """Whether a version must be added; not if it is there. Raises LifecycleError if another with
    its number is there, or newer ones."""
    there = book.versions.get((brought.id, brought.version))
    if there is not None:
        if meant(RuleDefinition.model_validate_json(there.definition)) != meant(brought):
            raise LifecycleError(
                f"another {brought.id}@{brought.version} is in the register, and a version is "
                f"never changed: make this version {newest(book, brought.id) + 1}"
            )
        return False
    if brought.version < (last := newest(book, brought.id)):
        raise LifecycleError(f"version {last} is in the register: make this version {last + 1}")
    return True


def newest(book: RuleBook, rule: str) -> int:
    """A rule's newest version; 0 if there is none."""
    return max((version for name, version in book.versions if name == rule), default=0)


def approve(
    book: RuleBook, rule: str, version: int | None, status: Status | None, who: str
) -> Change:
    """Put a version in force, the newest unless told, as what its author asks for unless told. What
    is retired is the version that is in force, unless told.

    Raises LifecycleError.
    """
    before = _standing(book, rule)
    if version is None:
        version = before.version if before and status == "retired" else newest(book, rule)
    brought = book.versions.get((rule, version))
    if brought is None:
        raise LifecycleError(_unknown(book, rule, version))
    name = f"{rule}@{version}"
    if brought.author == who:
        raise LifecycleError(f"{name} is by {who}: somebody else must approve it")
    asked: Status = status or RuleDefinition.model_validate_json(brought.definition).status
    is_isolated = (rule, version) in book.isolations
    was: Status | None = before.status if before else None
    if before and (before.version, was) == (version, asked) and not is_isolated:
        raise LifecycleError(f"{name} is {asked} already")
    if asked not in _ALLOWED[was]:
        raise LifecycleError(_refused(name, was, asked))
    if before and was == "shadow" and asked == "live" and before.version != version:
        raise LifecycleError(
            f"{rule}@{before.version} is in shadow, {name} was not: try it first (--status shadow)"
        )
    lived = before.lived if before else ()
    return Change(rule, before, _next(version, asked, lived), lifts=is_isolated)


def roll_back(book: RuleBook, rule: str, version: int, who: str) -> Change:
    """Back to a version that was live, by somebody who is not its author. Raises LifecycleError."""
    before = _standing(book, rule)
    if before is None or version not in before.lived:
        lived = ", ".join(map(str, before.lived)) if before else ""
        raise LifecycleError(
            f"{rule}@{version} was never live: " + (f"{lived} were" if lived else "none was")
        )
    if book.versions[rule, version].author == who:
        raise LifecycleError(f"{rule}@{version} is by {who}: somebody else must roll back to it")
    is_isolated = (rule, version) in book.isolations
    if (before.version, before.status) == (version, "live") and not is_isolated:
        raise LifecycleError(f"{rule}@{version} is live already")
    return Change(rule, before, _next(version, "live", before.lived), lifts=is_isolated)


def seeded(definitions: Iterable[RuleDefinition]) -> list[Change]:
    """The rules of files as they stand: what is in force while nothing was published."""
    return [Change(one.id, None, _next(one.version, one.status, ())) for one in definitions]


def changed(book: RuleBook, changes: Iterable[Change], who: str, at: str) -> Active:
    """What is in force after changes."""
    before = book.state.active or Active(number=0, rules={}, by="", at="")
    rules = before.rules | {one.rule: one.after for one in changes}
    return replace(before, number=before.number + 1, rules=rules, by=who, at=at)


def _next(version: int, status: Status, lived: tuple[int, ...]) -> Standing:
    if status == "live":
        lived = tuple(sorted({*lived, version}))
    return Standing(version, status, lived)


def _standing(book: RuleBook, rule: str) -> Standing | None:
    return book.state.active.rules.get(rule) if book.state.active else None


def _unknown(book: RuleBook, rule: str, version: int) -> str:
    there = sorted(number for name, number in book.versions if name == rule)
    if not there:
        return f"there is no rule {rule} in the register: its author publishes it first"
    told = ", ".join(map(str, there))
    return f"there is no {rule}@{version} in the register; there is version {told}"


def _refused(name: str, was: Status | None, asked: Status) -> str:
    allowed = " or ".join(_ALLOWED[was])
    is_so = f"is {was}" if was else "was never in force"
    return f"{name} cannot be {asked}: the rule {is_so}, so it can be {allowed} (--status)"


def meant(rule: RuleDefinition) -> RuleDefinition:
    """What a version is once and for all."""
    return rule.model_copy(update={"status": "draft", "examples": []})
