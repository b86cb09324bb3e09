"""What the sections of the settings have in common: their base, and kinds of values."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

CLASH = "clash"
"""The type of an error about settings that do not go together."""


class Section(BaseModel):
    # No error of ours or of a library's may quote a value: it may be a password.
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )


def clash(message: str, *names: str) -> PydanticCustomError:
    """`names` are those of the section's settings that `message` is about."""
    return PydanticCustomError(CLASH, "{message}", {"message": message, "names": names})


def _named(path: object) -> object:
    # Python takes an empty path for the current folder, and nobody means that by it.
    if path == "":
        raise ValueError("it is empty: write a path")
    return path


Port = Annotated[int, Field(ge=0, le=65_535)]
GivenPath = Annotated[Path, BeforeValidator(_named)]
