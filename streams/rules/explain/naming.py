"""What events, fields and values are called where they stand."""

from collections.abc import Iterable

from streams.attributes import NONE_DECLARED, Attributes
from streams.choices import WORDS
from streams.rules.explain.events import EVENTS
from streams.rules.explain.phrases import Phrases
from streams.rules.explain.words import FIELDS, FIELDS_OF, RELATIVES


class Names:
    """In one language. `types` are those of the event; `attributes` have their titles."""

    def __init__(
        self, phrases: Phrases, types: Iterable[str] = (), attributes: Attributes = NONE_DECLARED
    ) -> None:
        self.phrases = phrases
        self._attributes = attributes
        self._types = tuple(types)
        self._about = {one.partition(".")[0] for one in self._types}

    def say(self, key: str, *parts: object) -> str:
        return self.phrases.say[key].format(*parts)

    def length(self, text: str) -> str:
        """A length such as 30d."""
        return self.phrases.quantity(int(text[:-1]), text[-1])

    def field(self, name: str) -> str:
        of_these = {FIELDS_OF.get((about, name)) for about in self._about}
        words = of_these.pop() if len(of_these) == 1 else None
        words = words or FIELDS.get(name)
        return words[self.phrases.place] if words else name.replace("_", " ")

    def field_of(self, owner: str, name: str) -> str:
        """Of a list, or of the `profile`."""
        return (FIELDS_OF.get((owner, name)) or FIELDS[name])[self.phrases.place]

    def attribute(self, name: str) -> str:
        """The title that the bank gave it."""
        declared = self._attributes.declared.get(name)
        if declared is None:
            return name
        return declared.title.zh if self.phrases.place else declared.title.en

    def relative(self, name: str) -> str:
        return RELATIVES[name][self.phrases.place] if name in RELATIVES else name

    def value(self, text: str) -> str:
        return WORDS[text][self.phrases.place] if text in WORDS else text

    def events(self, types: Iterable[str]) -> str:
        """Several events of these types."""
        place = self.phrases.place
        return self.phrases.listed([EVENTS[one].several(place) for one in types], "or")

    def happens(self, types: Iterable[str]) -> str:
        """That one of these types happens."""
        events = [EVENTS[one] for one in types]
        told = [one.in_words(self.phrases.place) for one in events]
        if all(one.by_customer for one in events):
            return self.phrases.subject + self.phrases.listed(told, "or")
        subjects = [self.phrases.subject if one.by_customer else "" for one in events]
        return self.phrases.listed([*map(str.__add__, subjects, told)], "or")
