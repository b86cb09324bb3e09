"""A message's shape without what it says: the names of its fields and the kinds of their values."""

import json
import re
from typing import Any

import msgspec

from schemas.events import EVENT_TYPES

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ITEMS = 3


def masked(value: bytes) -> str:
    """JSON with every value masked; only the type stays, if it is one of ours. A field whose name
    is none that a programmer gives is masked, too. What is not JSON is told by its length."""
    try:
        whole = msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return f"not JSON: {len(value):,} bytes"
    shape = _shape(whole)
    if isinstance(whole, dict) and whole.get("type") in EVENT_TYPES:
        shape["type"] = whole["type"]
    return json.dumps(shape, indent=2, ensure_ascii=False)


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name if _NAME.fullmatch(name) else "<name>": _shape(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        more = [f"<{len(value) - _ITEMS:,} more>"] if len(value) > _ITEMS else []
        return [*map(_shape, value[:_ITEMS]), *more]
    if value is None:
        return None
    kind = {str: "string", bool: "boolean"}.get(type(value), "number")
    return f"<{kind}>"
