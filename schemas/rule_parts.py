"""What the definitions of rules and their examples are made of."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Duration = Annotated[str, Field(pattern=r"^\d{1,5}[smhdw]$", examples=["30d", "1h"])]


def _short(word: str) -> str:
    if len(word.encode()) > WORD_BYTES:
        raise ValueError(f"at most {WORD_BYTES} bytes long, as records keep it")
    return word


WORD_BYTES = 64
Word = Annotated[str, Field(pattern=r"^\S(.*\S)?$"), AfterValidator(_short)]
"""The name of a tag, an interest, a process."""


class Strict(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _as_text(value: object) -> object:
    """A number or a flag alone is an expression too, though YAML reads it as a value."""
    return str(value) if isinstance(value, int | float) else value


Expression = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=2_000)]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, str) else value


EventTypes = Annotated[list[str], BeforeValidator(_one_or_several), Field(min_length=1)]
"""A type, or several in a list."""


class Text(Strict):
    """A text for people, in the bank's languages. `{name}` is filled in with a `let` value."""

    en: Annotated[str, Field(min_length=1, max_length=500)]
    zh: Annotated[str, Field(min_length=1, max_length=500)]
