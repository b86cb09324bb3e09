"""The generated documents in schemas/. `python -m tests.schemas.documents` writes them anew."""

import re
from pathlib import Path

from schemas.json_schema import (
    as_file,
    effects_schema,
    events_schema,
    facts_schema,
    facts_table,
    types_table,
)

FOLDER = Path(__file__).parents[2] / "schemas"
EXAMPLES = FOLDER / "examples"
README = FOLDER / "README.md"

_TABLE = re.compile(r"(?<=<!-- types: generated -->\n).*?(?=\n<!-- end of types -->)", re.DOTALL)
_FACTS = re.compile(r"(?<=<!-- facts: generated -->\n).*?(?=\n<!-- end of facts -->)", re.DOTALL)


def documents() -> dict[Path, str]:
    """Each generated file → what should be in it."""
    readme = README.read_text()
    assert _TABLE.search(readme), "schemas/README.md has no place for the table of types"
    assert _FACTS.search(readme), "schemas/README.md has no place for the table of facts"
    return {
        FOLDER / "events.schema.json": as_file(events_schema()),
        FOLDER / "effects.schema.json": as_file(effects_schema()),
        FOLDER / "facts.schema.json": as_file(facts_schema()),
        README: _FACTS.sub(lambda _: facts_table(), _TABLE.sub(lambda _: types_table(), readme)),
    }


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text)
