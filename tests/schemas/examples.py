"""The examples that schemas/ ships, as plain data."""

import json
from typing import Any

from schemas.events import EVENT_TYPES
from schemas.events.reference import FACT_TYPES
from tests.schemas.documents import EXAMPLES

Example = dict[str, Any]


def examples(event_type: str) -> list[Example]:
    found: list[Example] = json.loads((EXAMPLES / f"{event_type}.json").read_text())
    return found


def all_examples() -> list[Example]:
    return [example for path in sorted(EXAMPLES.iterdir()) for example in examples(path.stem)]


EVENT_EXAMPLES = [example for example in all_examples() if example["type"] in EVENT_TYPES]
FACT_EXAMPLES = [example for example in all_examples() if example["type"] in FACT_TYPES]
EFFECT_EXAMPLES = [
    example for example in all_examples() if example["type"] not in (*EVENT_TYPES, *FACT_TYPES)
]
