"""The table of all settings in config/README.md; `python -m config.settings_table` renews it."""

from collections.abc import Iterator
from pathlib import Path

from config.catalogue import all_settings, section_notes

README = Path(__file__).with_name("README.md")
BEGIN = "<!-- settings: made by `python -m config.settings_table` -->\n"
END = "<!-- end of settings -->\n"


def table() -> str:
    """Markdown: one table for each section."""
    return "\n".join(_lines()) + "\n"


def renewed(readme: str) -> str:
    """The README with its table made anew."""
    before, rest = readme.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def _lines() -> Iterator[str]:
    notes = section_notes()
    section = ""
    for setting in all_settings():
        if setting.path[0] != section:
            section = setting.path[0]
            yield f"\n### {section}\n\n{notes[section]}\n"
            yield "| key | default | what it is | environment variable |"
            yield "|---|---|---|---|"
        default = setting.show(setting.default)
        yield f"| `{setting.path[-1]}` | {default} | {setting.description} | `{setting.variable}` |"


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
