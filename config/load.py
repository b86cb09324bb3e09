"""Load the settings in force; whatever is wrong is told as lines that say where and what to do."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.catalogue import FILE_VARIABLE, PREFIX, Setting, all_settings
from config.section import CLASH
from config.settings import Settings
from config.settings_file import KeyPath, SettingsFile, SettingsFileError, read_settings_file

_OTHER_VARIABLES = {
    FILE_VARIABLE,
    "VIPCARE_PARENT",
    "VIPCARE_DEBUG",
    "VIPCARE_FAIL",
    "VIPCARE_TESTING",
}
"""Ours, but no settings: the file's name, who started a process, tracebacks wanted, where a test
makes a process fail, and that it is a test."""


class SettingsError(Exception):
    """Settings that cannot be used: one line for each thing that is wrong."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True)
class Sources:
    """Where settings come from: environment variables by upper-case name, and the file."""

    variables: frozenset[str]
    file: SettingsFile | None

    def of(self, setting: Setting) -> str:
        """The variable, `file:line`, or `default`."""
        if setting.variable in self.variables:
            return setting.variable
        if self.file is not None and setting.path in self.file.lines:
            return self.file.place(setting.path)
        return "default"


def load_settings() -> Settings:
    """The settings in force: environment over file over defaults. Raises SettingsError."""
    return load_with_sources()[0]


def load_with_sources() -> tuple[Settings, Sources]:
    """The settings, and where each came from. Raises SettingsError."""
    problems = _unknown_variables(os.environ)
    named = os.environ.get(FILE_VARIABLE)
    try:
        file = read_settings_file(Path(named)) if named else None
    except SettingsFileError as error:
        raise SettingsError([*problems, str(error)]) from error
    sources = Sources(frozenset(name.upper() for name in os.environ), file)
    if problems:
        raise SettingsError(problems)
    try:
        return Settings(), sources
    except ValidationError as error:
        raise SettingsError([_line(dict(found), sources) for found in error.errors()]) from None


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {setting.variable for setting in all_settings()}
    given = {name for name in environment if name.upper().startswith(PREFIX)}
    return [
        f"environment variable {name} is unknown{_nearest(name.upper(), known, PREFIX)}"
        for name in sorted(given)
        if name.upper() not in known | _OTHER_VARIABLES
    ]


def _line(error: dict[str, Any], sources: Sources) -> str:
    path: KeyPath = tuple(part for part in error["loc"] if isinstance(part, str))
    key = ".".join(path)
    if error["type"] == "extra_forbidden":
        beside = [setting.key for setting in all_settings()]
        beside += [setting.path[0] for setting in all_settings()]
        shown = key if _is_name(error) else "a key that is written here"
        return f"{_place(path, sources)}: {shown} is unknown{_nearest(key, beside)}"
    if error["type"] == "model_type":
        return f"{_place(path, sources)}: {key} is a section: its settings stand below it, indented"
    # The message alone: the offending value may be a secret.
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == CLASH:
        return _clash(path, message, error["ctx"]["names"], sources)
    return f"{_place(path, sources)}: {key}: {message[:1].lower()}{message[1:]}"


def _is_name(error: dict[str, Any]) -> bool:
    """A key with odd letters, or without a value, may be a piece of a password without quotes."""
    return error["loc"][-1].isidentifier() and error["input"] is not None


def _clash(path: KeyPath, message: str, names: Iterable[str], sources: Sources) -> str:
    """Any of several settings may be the wrong one: all are named, with a place that set one."""
    by_path = {setting.path: setting for setting in all_settings()}
    involved = [by_path[*path, name] for name in names]
    place = next(_place(one.path, sources) for one in involved if sources.of(one) != "default")
    variables = ", ".join(one.variable for one in involved)
    return f"{place}: {'.'.join(path)}: {message}: look at {variables}"


def _place(path: KeyPath, sources: Sources) -> str:
    variable = PREFIX + "__".join(path).upper()
    if variable in sources.variables:
        return f"environment variable {variable}"
    return sources.file.place(path) if sources.file is not None else "settings"


def _nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """A hint, judged without the prefix that all names share."""
    rests = [other.removeprefix(prefix) for other in known]
    near = get_close_matches(name.removeprefix(prefix), rests, n=1, cutoff=0.5)
    return f"; did you mean {prefix}{near[0]}?" if near else ""
