"""YAML files whose every value knows its place, so that whoever wrote one finds what is wrong."""

import re
import stat
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from config.yaml_text import CUT, NotYamlError, read_yaml
from schemas.at_key import AT_KEY

MAX_FILE_BYTES = 256 * 1024
_OF_KEY = "[key]"
"""What Pydantic puts behind the path of a key that is wrong itself."""
_OF_AN_EXPRESSION = re.compile(r"[()\[\]<>='+*/]")
"""What a key has that is the rest of a value."""


class FileProblem(NamedTuple):
    """What is wrong at a place in a file; line and column count from 1."""

    path: Path
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


class WrongFile(list[FileProblem]):
    """What is wrong with a file, and its text where that is keys with values; else it is empty."""

    def __init__(self, problems: Iterable[FileProblem], text: str = "") -> None:
        super().__init__(problems)
        self.text = text


class FileErrors(Exception):  # noqa: N818  # it holds several
    """Files that cannot be used. One line for each problem: file:line:column: key: what."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class PlacedFile(NamedTuple):
    """A file that is what its model says."""

    path: Path
    content: Any
    """An instance of the model."""
    text: str

    def problem(self, key: str, column: int, message: str) -> FileProblem:
        """A problem at a key such as `let.total`; `column` counts from 1 in the key's text, 0 is
        all of that text, and below 0 is the key itself."""
        tree = read_yaml(self.text, "rt")
        line, start = _place(tree, key.split("."), at_key=column < 0)
        if column > 0:
            value = _value(tree, key.split("."))
            line, start = _inside(self.text, line, start, value, column - 1)
        return FileProblem(self.path, line + 1, start + 1, f"{key}: {message}")


def read_placed(path: Path, model: type[BaseModel], begins_with: str) -> PlacedFile | WrongFile:
    """Read one file; `begins_with` says what it should begin with."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            return _wrong(path, "this is no regular file: name one that holds text")
        if about.st_size > MAX_FILE_BYTES:
            return _wrong(path, f"such a file has at most {MAX_FILE_BYTES:,} bytes")
        raw = path.read_bytes()
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return _wrong(path, "this is not UTF-8 text", line)
    except OSError as error:
        return _wrong(path, f"cannot be read: {(error.strerror or 'error').lower()}")
    try:
        try:
            content = _content(text, model)
        except ValidationError as error:
            tree = read_yaml(text, "rt")  # with places, which take longer: where they are asked for
            found = error.errors(include_url=False)
            told = dict.fromkeys(_invalid(path, model, tree, one) for one in found)
            return WrongFile(told, text)
    except NotYamlError as error:
        return _wrong(path, f"this is not YAML: {error}", error.line or 1, error.column)
    if content is None:
        return _wrong(path, begins_with)
    return PlacedFile(path, content, text)


def _wrong(path: Path, message: str, line: int = 1, column: int = 1) -> WrongFile:
    return WrongFile([FileProblem(path, line, column, message)])


@lru_cache(maxsize=256)  # a worker's start reads some files twice; the models do not change
def _content(text: str, model: type[BaseModel]) -> BaseModel | None:
    """What the text says; None if it has no keys. Raises NotYamlError, ValidationError."""
    values = read_yaml(text, "safe")
    return model.model_validate(values) if isinstance(values, dict) else None


def _invalid(path: Path, model: type[BaseModel], tree: CommentedMap, error: Any) -> FileProblem:
    keys = [str(part) for part in error["loc"]]
    if error["type"] == "invalid_key":
        keys.append(_OF_KEY)
    if keys[-1:] == [_OF_KEY] and not isinstance(error["input"], str):
        return _no_key(path, tree, keys[:-1], error["input"])
    if error["type"] == AT_KEY:
        keys.append(error["ctx"]["key"])
    of_key = keys[-1:] == [_OF_KEY] or error["type"] == "extra_forbidden"
    keys = [one for one in keys if one != _OF_KEY]
    keys = keys[: _depth(tree, keys) + 1] or ["id"]
    if cut := _cut(tree, keys):
        line, column = _place(tree, cut)
        return FileProblem(path, line + 1, column + 1, f"{'.'.join(cut)}: {CUT}")
    line, column = _place(tree, keys, at_key=of_key)
    if error["type"] == "extra_forbidden" and (known := _known_keys(model, keys[:-1])):
        message = f"not a key here; there are {', '.join(known)}{_nearest(keys[-1], known)}"
    else:
        message = _worded(error, _known_keys(model, keys))
        message += _JOINED if keys[-1] in _CONDITIONS and error["type"] == "string_type" else ""
    return FileProblem(path, line + 1, column + 1, f"{'.'.join(keys)}: {message}")


def _cut(tree: CommentedMap, keys: Sequence[str]) -> list[str]:
    """The keys of the value that a comma cut inside of { }, if `keys` are some of its rest, which
    reads as keys without values; else none."""
    *above, name = keys
    there = _part(tree, above)
    if not isinstance(there, CommentedMap) or not there.fa.flow_style():
        return []
    if there.get(name, "") is not None or not any(map(_OF_AN_EXPRESSION.search, map(str, there))):
        return []
    before = takewhile(lambda one: one != name, there)
    begun = [str(one) for one in before if there[one] is not None]
    return [*above, *begun[-1:]] if begun else []


def _part(tree: Any, keys: Sequence[str]) -> Any:
    """What stands at these keys, or at as many of them as there are."""
    for key in keys[: _depth(tree, keys)]:
        tree = tree[key] if isinstance(tree, CommentedMap) else tree[int(key)]
    return tree


def _no_key(path: Path, tree: Any, keys: Sequence[str], key: object) -> FileProblem:
    """What stands before a colon, and is none: nothing, a number, a flag, a list."""
    *above, name = keys
    tree = _part(tree, above)
    line, column = tree.lc.key(key) if key in tree else (tree.lc.line, tree.lc.col)
    named = "no key stands before this colon" if key is None else f"{name} is no key here"
    where = f"{'.'.join(above)}: " if above else ""
    message = f"{where}{named}: a key is a word"
    return FileProblem(path, line + 1, column + 1, message)


_NOT_KEYS = ("model_type", "model_attributes_type", "dict_type")
_WORDED = {
    "missing": "this key is missing",
    "extra_forbidden": "not a key here",
    "string_type": "should be a text: a number or a day stands in quotes",
    **dict.fromkeys(
        ("int_type", "int_parsing", "int_from_float"),
        "should be a whole number, without quotes and point",
    ),
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false, without quotes"),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        "write a day as 2026-01-31",
    ),
    **dict.fromkeys(
        _NOT_KEYS,
        "should be keys with values",
    ),
    **dict.fromkeys(("too_short", "string_too_short"), "it is empty: at least 1 is needed"),
    "list_type": "should be a list, each entry behind a `- `",
}
"""Pydantic's type of an error → our words."""


_JOINED = ": conditions are joined with and, or, not"
_CONDITIONS = ("if", "unless", "where")


def _worded(error: Any, known: Sequence[str]) -> str:
    """`known` are the keys that it has where it is wrong, if it has any."""
    kind, given = error["type"], error["input"]
    if kind in _NOT_KEYS:
        example = f", such as `{known[0] if known else 'name'}: ...`"
        there = f"; there are {', '.join(known)}" if len(known) > 1 else ""
        return _WORDED[kind] + example + there
    if kind == "string_type" and isinstance(given, list | dict):
        return "should be one text, no list and no keys"
    if kind in _WORDED:
        return _WORDED[kind]
    match kind:
        case "string_pattern_mismatch":
            return f"does not match {error['ctx']['pattern']}"
        case "too_long" | "string_too_long" if isinstance(given, str | dict | list):
            things = "characters" if isinstance(given, str) else "entries"
            return f"at most {error['ctx']['max_length']:,} {things}, not {len(given):,}"
        case "literal_error":
            expected: str = error["ctx"]["expected"]
            known = [one.strip("'") for one in expected.replace(" or ", ", ").split(", ")]
            return f"should be {expected}{_nearest(str(given), known)}"
    message: str = error["msg"]
    return message.removeprefix("Value error, ").replace("Input should be", "should be")


def _nearest(name: str, known: Sequence[str]) -> str:
    found = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _known_keys(model: type[BaseModel], keys: Sequence[str]) -> list[str]:
    """The keys that a part of a file has."""
    part: Any = model
    for key in keys:
        if not hasattr(part, "model_fields"):
            return []
        if key.isdigit():  # an entry of a list, whose model was taken already
            continue
        fields = {field.alias or name: field for name, field in part.model_fields.items()}
        annotation = fields[key].annotation if key in fields else None
        options = [annotation, *getattr(annotation, "__args__", ())]
        part = next((one for one in options if hasattr(one, "model_fields")), None)
        if part is None:
            return []
    return [field.alias or name for name, field in part.model_fields.items()]


def _depth(tree: Any, keys: Sequence[str]) -> int:
    """How many of these keys exist in the tree."""
    for depth, key in enumerate(keys):
        if isinstance(tree, CommentedMap) and key in tree:
            tree = tree[key]
        elif isinstance(tree, CommentedSeq) and key.isdigit() and int(key) < len(tree):
            tree = tree[int(key)]
        else:
            return depth
    return len(keys)


def _value(tree: Any, keys: Sequence[str]) -> str:
    tree = _part(tree, keys)
    return str(tree).lower() if isinstance(tree, bool) else str(tree)


def _place(tree: Any, keys: Sequence[str], *, at_key: bool = False) -> tuple[int, int]:
    """Line and column (from 0) of a key's value, of the key itself, or of what it belongs in."""
    place = (0, 0)
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        if isinstance(tree, CommentedMap) and key in tree:
            value = tree[key]
            nested = isinstance(value, CommentedMap | CommentedSeq)
            of_value = last and not nested and not at_key
            place = tree.lc.value(key) if of_value else tree.lc.key(key)
            tree = value
        elif isinstance(tree, CommentedSeq) and key.isdigit() and int(key) < len(tree):
            place = tree.lc.item(int(key))
            tree = tree[int(key)]
        else:
            return place
    return place


def _inside(text: str, line: int, column: int, value: str, offset: int) -> tuple[int, int]:
    """Where a character of a value stands in the file.

    Walks along both; what the file has and the value has not (quotes, indents, a folded line's
    break) is passed over.
    """
    lines = text.splitlines(keepends=True)
    at = sum(map(len, lines[:line])) + column
    if text[at : at + 1] in ("|", ">"):
        at = text.find("\n", at) + 1
    wanted = "".join(value[:offset].split())
    for char in wanted:
        at = text.find(char, at) + 1
    rest = value[offset : offset + 1].strip() or ""
    at = text.find(rest, at) if rest else at
    before = text[:at]
    return before.count("\n"), len(before) - (before.rfind("\n") + 1)
