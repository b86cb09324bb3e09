"""What the definitions of rules and their examples are made of."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
LONGEST_DAYS = 3_660
_DURATION = re.compile(r"[0-9]{1,5}[smhdw]")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for tabs and breaks, and those that turn the direction of what follows: a
text that has them does not read as what it is."""


def seconds(duration: str) -> int:
    return int(duration[:-1]) * UNIT_SECONDS[duration[-1]]


def _as_text(value: object) -> object:
    """A number or a flag alone is a text too where one is read, though YAML reads it as a value."""
    return str(value) if isinstance(value, int | float) else value


def bounded(text: str) -> str:
    """A duration as rules may have it. Raises ValueError for anything else."""
    if _DURATION.fullmatch(text) is None:
        raise ValueError("write a length as a number and s, m, h, d or w, as in 30d")
    if seconds(text) > LONGEST_DAYS * UNIT_SECONDS["d"]:
        raise ValueError(f"at most {LONGEST_DAYS}d long")
    return text


def _lasting(text: str) -> str:
    if seconds(text) == 0:
        raise ValueError("this is no time at all: write a length of 1s or more, or leave it out")
    return text


Duration = Annotated[
    str, BeforeValidator(_as_text), AfterValidator(bounded), Field(examples=["30d", "1h"])
]
Span = Annotated[Duration, AfterValidator(_lasting)]
"""A duration that is longer than none."""


def _visible(text: str) -> str:
    if found := _UNSEEN.search(text):
        raise ValueError(
            f"it has a character that is not seen, U+{ord(found[0]):04X}: leave it out"
        )
    return text


Visible = AfterValidator(_visible)


def _short(word: str) -> str:
    if len(word.encode()) > WORD_BYTES:
        raise ValueError(f"at most {WORD_BYTES} bytes long, as records keep it")
    return word


def named(pattern: str, otherwise: str) -> AfterValidator:
    """A text that matches; whoever wrote another is told what to write."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(otherwise)
        return text

    return AfterValidator(check)


def _plain(text: str) -> str:
    if "{" in text or "}" in text:
        raise ValueError("nothing is filled in here: write it without braces")
    return text


Plain = AfterValidator(_plain)
"""A text without placeholders, in which braces would be shown as they are."""
WORD_BYTES = 64
Word = Annotated[
    str,
    named(r"\S(.*\S)?", "write a name on one line, without blanks around it"),
    AfterValidator(_short),
    Visible,
    Plain,
]
"""The name of a tag, an interest, a process."""


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("nothing but blanks: write something")
    return text


NotBlank = AfterValidator(_not_blank)
Whole = Annotated[int, Field(strict=True)]
"""No flag, no text that looks like a number."""


class Strict(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


Expression = Annotated[
    str, BeforeValidator(_as_text), Field(min_length=1, max_length=2_000), Visible
]
FieldName = Annotated[
    str,
    named(r"[a-z][a-z0-9_]*", "write small letters, digits and _, a letter first: total_30d"),
]


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Id = Annotated[
    str,
    named(
        r"[a-z0-9]+(-[a-z0-9]+)*",
        "write small letters and digits, with hyphens between words: large-transfer",
    ),
    Field(max_length=64),
]
"""Of a rule or a template."""


def _once(types: list[str]) -> list[str]:
    if len({*types}) < len(types):
        raise ValueError("name each event type once")
    return types


EventTypes = Annotated[
    list[str], BeforeValidator(_one_or_several), Field(min_length=1), AfterValidator(_once)
]
"""A type, or several in a list."""


class Text(Strict):
    """A text for people, in the bank's languages. `{name}` is filled in with a `let` value."""

    en: Annotated[str, Field(min_length=1, max_length=500), Visible, NotBlank]
    zh: Annotated[str, Field(min_length=1, max_length=500), Visible, NotBlank]
