"""The settings file: YAML 1.2 read with the line of every key, so that an error can say where."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from config.yaml_text import NotYamlError, read_yaml

KeyPath = tuple[str, ...]


class SettingsFileError(ValueError):
    """The file cannot be read as settings; says where, in one line."""


@dataclass(frozen=True)
class SettingsFile:
    path: Path
    data: dict[str, Any]
    """Plain values. A section without keys (all commented out) is left out."""
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """Key path → its line, counted from 1."""

    def place(self, path: KeyPath) -> str:
        """`file:line` of a key, or of the nearest one above it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.path}:{self.lines.get(path, 1)}"


def read_settings_file(path: Path) -> SettingsFile:
    """Read a file. Raises SettingsFileError if it is missing, no YAML, or no mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SettingsFileError(f"{path}: {reason} (named by VIPCARE_SETTINGS)") from error
    try:
        tree = read_yaml(text, "rt")
    except NotYamlError as error:
        place = f"{path}:{error.line}" if error.line else path
        raise SettingsFileError(f"{place}: not YAML: {error}") from None
    if tree is None:
        return SettingsFile(path, {})
    if not isinstance(tree, CommentedMap):
        raise SettingsFileError(f"{path}:1: settings are a mapping of sections, such as `kafka:`")
    lines: dict[KeyPath, int] = {}
    return SettingsFile(path, _plain(tree, (), lines), lines)


def _plain(tree: CommentedMap, path: KeyPath, lines: dict[KeyPath, int]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in tree.items():
        here = (*path, str(key))
        lines[here] = tree.lc.key(key)[0] + 1
        if isinstance(value, CommentedMap):
            plain[str(key)] = _plain(value, here, lines)
        elif path or value is not None:
            plain[str(key)] = value
    return plain
