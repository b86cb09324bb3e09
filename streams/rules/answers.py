"""What is told of a rule that was asked about a customer."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from streams.rules.hindrances import Gatekeeper
from streams.rules.why import Clause

_WITHHELD = ("status", "holdout", "consent")
"""What a rule fires in spite of: then what it would do is recorded."""


class Wait(Struct, frozen=True):
    """A timer of the rule."""

    about: str
    """The date that it waits for, empty of dates that identify a person; or what it waits
    without."""
    due: int
    fired: bool


class Why(Struct, kw_only=True):
    """An answer."""

    when: str
    """`event`: as that came; `wait`: likewise, and it waits for a date before it looks; `timer`: as
    its wait ended; `answer`: as none had come; `silence`: as a score was looked
    at again, since nothing was heard after it; `told`: as customers were told of a campaign or a
    holiday; `now`."""
    at: int
    """Epoch milliseconds."""
    version: int
    """Of the rule that is answered for."""
    warm_from: int | None = None
    """From when on its windows reached back as far as it looks, as they were kept then, epoch
    milliseconds; None where that is not told."""
    clauses: Sequence[Clause] = ()
    lets: Mapping[str, str] = {}
    missing: str = ""
    """What of its sequence did not come before."""
    gates: Sequence[Gatekeeper] = ()
    waits: Sequence[Wait] = ()
    due: int | None = None
    """Before that it does not fire, whatever holds: when its wait ends, epoch milliseconds."""
    failed: str = ""
    """What the rule raised, if it did: whatever it would do is lost."""
    late: bool = False
    """The event came too late: every aggregate is unknown to it."""
    fired: bool | None = None
    """Whether a rule that can be amended fired; None: not such a rule. Where later events had come
    before, it reckoned in the order of times, and so do the clauses."""
    taken_back: bool = False
    """The event was taken back before it came: to the rule, which can be amended, it never was."""
    answered: bool = False
    """Its condition is true, and it waits for no answer: one had come already."""

    @property
    def holds(self) -> bool | None:
        """Whether the condition is true; None if it is unknown."""
        if self.missing:
            return False
        if self.when == "wait":
            return None
        found = [one.holds for one in self.clauses]
        return False if False in found else None if None in found else True

    @property
    def is_open(self) -> bool:
        """Whether it depends on the event that comes."""
        return self.holds is None and all(one.holds or one.of_event for one in self.clauses)

    @property
    def closed(self) -> Sequence[Gatekeeper]:
        """What keeps it from firing, whether the condition is true or not."""
        return [one for one in self.gates if not one.open and one.name not in _WITHHELD]

    @property
    def fires(self) -> bool:
        """Whether the rule fires, be it withheld, or begins to wait for an answer."""
        if self.fired is not None:
            return self.fired
        return (
            not self.failed
            and not (self.answered or self.taken_back)
            and self.holds is True
            and not self.closed
        )

    @property
    def acts(self) -> bool:
        """Whether something is done, be it not all."""
        asked = (one for one in self.gates if self.fired is None or one.name in _WITHHELD)
        return self.fires and all(one.open or one.partly for one in asked)


class Changed(Struct, frozen=True, kw_only=True):
    """What an event changed of what the rule, which can be amended, did at another one."""

    change: str
    """`raised`, `amended`, `retracted`."""
    values: Mapping[str, str]
    """What it shows then."""
    of: tuple[str, str]
    """The source and the id of the event that the rule listens to, and its time `at`."""
    at: int
    by: tuple[str, str]
    """Of the event that changed it, with its type and its time `by_at`."""
    type: str
    by_at: int
