"""`vipcare settings`: the settings in force, where each came from, and how to set it."""

from collections.abc import Iterator

import click

from config.catalogue import all_settings, section_notes
from config.load import Sources, load_with_sources
from config.settings import Settings


@click.command()
def settings() -> None:
    """Show every setting in force, with its source and its environment variable.

    Secrets are never shown, only whether they are set.
    """
    for line in _lines(*load_with_sources()):
        click.echo(line)


def _lines(tree: Settings, sources: Sources) -> Iterator[str]:
    notes = section_notes()
    section = ""
    for setting in all_settings():
        if setting.path[0] != section:
            section = setting.path[0]
            yield f"\n{section}:  # {notes[section]}" if notes[section] else f"\n{section}:"
        value = setting.show(setting.value_in(tree))
        yield f"  {setting.path[-1]}: {value}"
        about = f" · {setting.description}" if setting.description else ""
        yield click.style(f"      {setting.variable} · {sources.of(setting)}{about}", dim=True)
