"""Which greeting a customer gets: of their language, for their tier and interests and for what is
greeted for, never the same twice in a row."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.activity import ActivitySection, Greeted
from schemas.greetings import Greeting, GreetingTemplate
from schemas.profile import ProfileSection
from streams.fold.bounded import cut, trim

MAX_OCCASIONS = 12


class Chosen(NamedTuple):
    template: GreetingTemplate
    language: str


class Greetings:
    """All templates. `language` is that of customers whose own is not known or has none."""

    def __init__(self, greetings: Iterable[Greeting] = (), language: str = "zh") -> None:
        self.definitions = tuple(sorted(greetings, key=lambda one: one.occasion))
        self.language = language
        self._of = {one.occasion: _by_id(one.templates) for one in self.definitions}
        self._alike = {occasion: _by_conditions(every) for occasion, every in self._of.items()}

    def occasions(self) -> Sequence[str]:
        return tuple(self._of)

    def templates(self, occasion: str) -> Sequence[GreetingTemplate]:
        return self._of[occasion]

    def choose(
        self,
        occasion: str,
        profile: ProfileSection,
        values: Mapping[str, str],
        last: str,
        name: str,
    ) -> Chosen:
        """Among those that fit and are not the last one, those with most conditions; of these
        `name`, the hexadecimal name of what is greeted for, decides. `values` are those of the rule
        that greets.

        Raises LookupError where the occasion lacks something.
        """
        own = (profile.basics.language or self.language).partition("-")[0]
        for language in (own, self.language):
            for alike in self._alike[occasion]:
                best = [
                    one
                    for one in alike
                    if language in one.texts and one.id != last and _fits(one, profile, values)
                ]
                if best:
                    return Chosen(best[int(name, 16) % len(best)], language)
        raise LookupError(f"no greeting for {occasion}")


NO_GREETINGS = Greetings()


def last_greeting(activity: ActivitySection, occasion: str) -> str:
    """The id of the template that was used last; empty if none was."""
    kept = activity.greetings.get(cut(occasion))
    return "" if kept is None else kept.template


def note_greeting(activity: ActivitySection, occasion: str, template: str, at: int) -> None:
    kept = activity.greetings
    kept[cut(occasion)] = Greeted(at, template)
    trim(activity.dropped, "greetings", kept, MAX_OCCASIONS, lambda one: one.at)


def open_channels(profile: ProfileSection, purpose: str, channels: Iterable[str]) -> list[str]:
    """Those that the customer has not refused for this purpose, however the bank capitalises."""
    refused = {
        channel.casefold()
        for name, told in (profile.basics.consents or {}).items()
        if name.casefold() == purpose
        for channel, is_given in told.items()
        if not is_given
    }
    return [one for one in channels if one not in refused]


def _fits(template: GreetingTemplate, profile: ProfileSection, values: Mapping[str, str]) -> bool:
    if template.tier and profile.basics.tier not in template.tier:
        return False
    for name, wanted in template.where.items():
        if values.get(name) not in wanted:
            return False
    return not template.interest or any(one in profile.interests for one in template.interest)


def _by_id(templates: Iterable[GreetingTemplate]) -> Sequence[GreetingTemplate]:
    return tuple(sorted(templates, key=lambda one: one.id))


def _by_conditions(templates: Iterable[GreetingTemplate]) -> Sequence[Sequence[GreetingTemplate]]:
    """Those with as many conditions together, those with most first."""
    alike: dict[int, list[GreetingTemplate]] = {}
    for one in templates:
        alike.setdefault(one.conditions, []).append(one)
    return [alike[number] for number in sorted(alike, reverse=True)]
