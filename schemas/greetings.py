"""Greetings as their owner writes them: a file for each occasion, with templates to choose from."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field

from schemas.rule_parts import Id, Strict, Visible, Word


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Words = Annotated[list[Word], BeforeValidator(_one_or_several), Field(max_length=20)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$", examples=["zh"])]
"""As ISO 639 has them, without a country."""
_ENOUGH = 2
Said = Annotated[str, Field(min_length=1, max_length=500), Visible]


class GreetingTemplate(Strict):
    id: Id
    tier: Annotated[Words, Field(default_factory=list)]
    """For customers of these tiers only; of any, if there is none."""
    interest: Annotated[Words, Field(default_factory=list)]
    """For customers with one of these interests only."""
    where: Annotated[dict[str, Words], Field(default_factory=dict, max_length=8)]
    """Only where these values of the rule that greets are so, or one of several."""
    texts: Annotated[dict[Language, Said], Field(min_length=1)]
    """`{name}` is filled in with a value of the rule that greets."""

    @property
    def conditions(self) -> int:
        """The more there are, the better it fits whom it fits."""
        return bool(self.tier) + bool(self.interest) + len(self.where)


class Greeting(Strict):
    """What may be said on an occasion."""

    occasion: Word
    templates: Annotated[list[GreetingTemplate], Field(min_length=1, max_length=100)]

    def lacks(self, language: str) -> Iterator[str]:
        """What is missing for everybody to get another greeting than the last one, whatever their
        own language, by the texts in this one."""
        for_all = sum(language in one.texts and not one.conditions for one in self.templates)
        if for_all < _ENOUGH:
            yield (
                f"{_ENOUGH} templates at least should have a text in {language} and neither tier, "
                "interest nor where, so that nobody is greeted with the same words twice in a row"
            )
