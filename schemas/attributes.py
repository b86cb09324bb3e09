"""Attributes: fields of a customer that a bank adds itself, as their owner declares them."""

from keyword import iskeyword
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.rule_parts import FieldName, Text

MAX_DECLARED = 64
"""Attributes of a customer: a record has room for as many."""

AttributeType = Literal["text", "number", "decimal", "amount", "date", "boolean", "texts"]
"""text: at most 250 bytes in UTF-8. number: a whole number. decimal: with at most 8 decimals.
amount: money in the bank's base currency. date: YYYY-MM-DD. texts: at most 20 texts, of at most 250
bytes together."""


def _usable(name: str) -> str:
    if iskeyword(name):
        raise ValueError("a word of the language of rules: choose another name")
    return name


AttributeName = Annotated[FieldName, Field(max_length=64), AfterValidator(_usable)]


class AttributeDefinition(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: AttributeName
    """As events and rules call it."""
    type: AttributeType
    title: Text
    """As people call it."""
    sensitive: bool
    """It stays in the record: rules, vip.profiles and ClickHouse do not see it. Its owner has to
    decide, so there is no default."""
    about: Annotated[str, Field(max_length=500)] = ""
    """For whoever reads the file."""


class AttributeDefinitions(BaseModel):
    """A file of attributes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attributes: Annotated[list[AttributeDefinition], Field(max_length=MAX_DECLARED)]
