"""What the definitions of rules and their examples are made of."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

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
