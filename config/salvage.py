"""What a file says besides what is wrong in it, so that one problem does not hide the others."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from config.yaml_text import read_yaml
from schemas.at_key import AT_KEY
from schemas.rules import RuleDefinition

_ROUNDS = 40
"""One problem each; what is left out may leave something empty, and so on."""
_SEEN_ELSEWHERE = ("on", "let", "sequence", "wait", "score")
"""Other parts use what these say: without it they would seem to be wrong."""
_STAND_INS: Mapping[str, Any] = {
    "id": "a-rule",
    "version": 1,
    "title": {"en": "-", "zh": "-"},
    "kind": "care",
    "owner": "-",
    "status": "live",
    "if": "true",
    "then": {"tag": "-"},
}
"""For keys that a rule must have, where they are wrong or missing."""


def salvaged(text: str) -> RuleDefinition | None:
    """A rule of what is right in its file; None if the rest would not be what was meant. The text
    is known to be keys with values."""
    values = read_yaml(text, "safe")
    for _ in range(_ROUNDS):
        try:
            return RuleDefinition.model_validate(values)
        except ValidationError as error:
            if not _left_out(values, dict(error.errors()[0])):
                return None
    return None


def _left_out(values: dict[Any, Any], error: dict[str, Any]) -> bool:
    """Leave out what an error is about, or fill in what is missing."""
    keys = list(error["loc"])
    if error["type"] == AT_KEY:
        keys.append(error["ctx"]["key"])
    first = keys[0] if keys else ""
    is_unknown = error["type"] == "extra_forbidden"
    if is_unknown and len(keys) == 1 and get_close_matches(str(first), _SEEN_ELSEWHERE):
        return False
    if first in _SEEN_ELSEWHERE and not is_unknown:
        return False
    if error["type"] == "missing":
        if len(keys) == 1:
            values.update({first: _STAND_INS[first]} if first in _STAND_INS else {})
            return first in _STAND_INS
        keys.pop()
    return _removed(values, keys)


def _removed(tree: Any, keys: list[Any]) -> bool:
    """Remove what stands at a path, or at as much of it as there is."""
    at: tuple[dict[Any, Any], Any] | None = None
    for key in keys:
        if isinstance(tree, dict) and key in tree:
            at = tree, key
        elif not (isinstance(tree, list) and isinstance(key, int) and key < len(tree)):
            break
        tree = tree[key]
    if at is not None:
        del at[0][at[1]]
    return at is not None
