"""Every setting there is, read off the settings tree: for messages, listings and the README."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config.settings import Settings

PREFIX = "VIPCARE_"
FILE_VARIABLE = "VIPCARE_SETTINGS"
KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    path: KeyPath
    """Such as ("kafka", "bootstrap")."""
    default: object
    description: str
    secret: bool

    @property
    def key(self) -> str:
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + "__".join(self.path).upper()

    def value_in(self, settings: Settings) -> object:
        value: Any = settings
        for name in self.path:
            value = getattr(value, name)
        return value

    def show(self, value: object) -> str:
        """A value for people; a secret one only says whether it is set."""
        if self.secret:
            return "(set)" if value and str(value) else "(not set)"
        if value is None or value == ():
            return "(none)"
        if isinstance(value, tuple):
            return ",".join(value)
        return str(value).lower() if isinstance(value, bool) else str(value)


@cache
def all_settings() -> tuple[Setting, ...]:
    """In the order of the tree."""
    return tuple(_leaves(Settings, ()))


def _leaves(model: type[BaseModel], path: KeyPath) -> list[Setting]:
    found = []
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            found += _leaves(section, (*path, name))
        else:
            found.append(_setting((*path, name), field))
    return found


def _setting(path: KeyPath, field: FieldInfo) -> Setting:
    default = None if field.default is PydanticUndefined else field.default
    kinds = {field.annotation, *get_args(field.annotation)}
    return Setting(
        path=path,
        default=default.as_posix() if isinstance(default, Path) else default,
        description=field.description or "",
        secret=SecretStr in kinds,
    )


def section_notes() -> dict[str, str]:
    """Section → the first line of what its class says of it."""
    notes = {}
    for name, field in Settings.model_fields.items():
        section = field.annotation
        written = section.__doc__ if isinstance(section, type) else None
        notes[name] = (written or "").strip().splitlines()[0] if written else ""
    return notes
