"""The values that config/rules/README.md lists for those who write rules."""

import re

from config.load_rules import SHIPPED

README = (SHIPPED / "README.md").read_text(encoding="utf-8")


def listed_values() -> set[str]:
    table = README.split("<!-- values -->")[1].split("<!-- end of values -->")[0]
    cells = (re.sub(r" \([^,]*?\)", "", cell) for cell in re.split(r"[|\n]", table))
    return {word.strip() for cell in cells for word in cell.split(",")}
