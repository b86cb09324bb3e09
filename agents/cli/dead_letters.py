"""`vipcare dead-letters`: what was refused, why, and on request with its content."""

import heapq
import sys
from collections import Counter
from collections.abc import Iterator

import click
from rich.console import Console
from rich.table import Table

from agents.cli.errors import UserError
from agents.reading import Found, ReadingError, read_topic
from config.load import load_settings
from schemas.dead_letters import MAX_VALUE_BYTES, DeadLetter, Reason, parse_dead_letter

TOPIC = "vip.dead-letters"


@click.group("dead-letters")
def dead_letters() -> None:
    """What was refused, and why."""


@dead_letters.command("list")
@click.option("--reason", type=click.Choice([reason.value for reason in Reason]), help="only these")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="the last ones"
)
def list_command(reason: str | None, limit: int) -> None:
    """List dead letters, the newest last; no content is shown."""
    counts: Counter[str] = Counter()
    last: list[tuple[int, int, int, DeadLetter]] = []
    for found, letter in _letters():
        if reason in {None, letter.reason}:
            counts[letter.reason] += 1
            heapq.heappush(last, (found.timestamp, found.partition, found.offset, letter))
            if len(last) > limit:
                heapq.heappop(last)
    if not counts:
        click.echo("no dead letters" + (f" with reason {reason}" if reason else ""))
        return
    _console().print(_table(sorted(last, key=lambda entry: entry[:3])))
    by_reason = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    click.echo(f"{len(last)} of {counts.total()} shown ({by_reason})")


@dead_letters.command("show")
@click.argument("topic")
@click.argument("partition", type=click.IntRange(0))
@click.argument("offset", type=click.IntRange(0))
@click.option("--content", is_flag=True, help="also the original bytes, on stdout")
def show_command(topic: str, partition: int, offset: int, content: bool) -> None:
    """Show one dead letter: where the original stood, or its own place in vip.dead-letters."""
    for found, letter in _letters():
        own = (found.topic, found.partition, found.offset)
        if (topic, partition, offset) in {own, (letter.topic, letter.partition, letter.offset)}:
            _show(found, letter, content=content)
            return
    raise UserError(
        f"no dead letter of {topic}[{partition}]@{offset}: `vipcare dead-letters list` shows them"
    )


def _letters() -> Iterator[tuple[Found, DeadLetter]]:
    try:
        for found in read_topic(load_settings().kafka, TOPIC):
            try:
                yield found, parse_dead_letter(found.headers, found.key, found.value)
            except ValueError as error:
                place = f"{found.topic}[{found.partition}]@{found.offset}"
                click.echo(f"{place} is skipped: {error}", err=True)
    except ReadingError as error:
        raise UserError(str(error)) from error


def _table(entries: list[tuple[int, int, int, DeadLetter]]) -> Table:
    table = Table("reason", "detail", "original", "event", "bytes", box=None, pad_edge=False)
    for _, _, _, letter in entries:
        original = f"{letter.topic}[{letter.partition}]@{letter.offset}"
        event = f"{letter.event_type} {letter.event_id}".strip() or "-"
        table.add_row(letter.reason, letter.detail, original, event, str(letter.length))
    return table


def _show(found: Found, letter: DeadLetter, *, content: bool) -> None:
    click.echo(f"dead letter: {found.topic}[{found.partition}]@{found.offset}", err=content)
    for name, text in letter.headers():
        click.echo(f"{name.removeprefix('vipcare-')}: {text.decode()}", err=content)
    if not content:
        click.echo("content: not shown; --content shows it, and it may hold personal data")
        return
    click.echo("Careful: the content may hold personal data.", err=True)
    if letter.length > len(letter.value):
        click.echo(f"Cut: the first {MAX_VALUE_BYTES} of {letter.length} bytes.", err=True)
    sys.stdout.flush()
    click.get_binary_stream("stdout").write(letter.value)


def _console() -> Console:
    """As wide as the terminal; in a pipe as wide as the lines are."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 250)
