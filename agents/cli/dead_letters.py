"""`vipcare dead-letters`: what was refused, why, on request with its content; and replayed."""

import heapq
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click
from rich.console import Console

from agents.cli.errors import UserError
from agents.cli.params import InPlace, Since
from agents.letters.finding import Choice, Kept, find
from agents.letters.mask import masked
from agents.letters.replaying import Judge, Plan, plan, replay, replayed_letters
from agents.letters.telling import (
    Kind,
    counted,
    counts_data,
    counts_table,
    kind_of,
    letters_data,
    letters_table,
)
from agents.reading import ReadingError
from agents.sending import SendingError
from agents.terminal import plain
from agents.topics import all_topics
from config.load import load_settings
from config.settings import Settings
from schemas.dead_letters import MAX_VALUE_BYTES, Category, Reason
from schemas.place import Place

_SAY_EVERY = 5_000
_LONGEST = 1_000


@click.group("dead-letters")
def dead_letters() -> None:
    """What was refused, and why; and a second chance for it.

    schemas/README.md says what the categories are and who mends what.
    """


def _chosen(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose letters, handed over as one `choice`."""

    @click.option("--topic", help="Only originals of this topic.")
    @click.option("--category", type=click.Choice([*map(str, Category)]), help="Only these.")
    @click.option("--reason", type=click.Choice([*map(str, Reason)]), help="Only these.")
    @click.option("--customer", metavar="ID", help="Only events of this customer.")
    @click.option(
        "--since",
        type=Since(),
        metavar="TIME",
        help="Refused since: 90m, 3d, 2026-03-01T09:00 (this machine's time).",
    )
    @wraps(command)
    def with_choice(
        topic: str | None,
        category: str | None,
        reason: str | None,
        customer: str | None,
        since: int | None,
        **others: Any,
    ) -> Any:
        choice = Choice(
            topic=topic,
            category=None if category is None else Category(category),
            reason=None if reason is None else Reason(reason),
            customer=customer,
            since=since,
            places=frozenset(others.pop("places", ())) or None,
        )
        return command(choice=choice, **others)

    return with_choice


@dead_letters.command("list")
@_chosen
@click.option("--counts", is_flag=True, help="Only how many, by topic, category and reason.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="The last ones."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def list_command(choice: Choice, counts: bool, limit: int, as_json: bool) -> None:
    """List dead letters, the newest last; no content is shown."""
    settings = load_settings()
    kafka = settings.kafka
    kinds: Counter[Kind] = Counter()
    done: Counter[Kind] = Counter()
    last: list[tuple[int, Place, Kept]] = []
    with _saying():
        replayed = replayed_letters(kafka)
        for kept in find(kafka, choice, _say):
            kinds[kind_of(kept)] += 1
            done[kind_of(kept)] += kept.at in replayed
            heapq.heappush(last, (kept.received, kept.at, kept))
            if len(last) > limit:
                heapq.heappop(last)
    if not kinds:
        _check_topic(settings, choice)
    shown = [kept for *_, kept in sorted(last, key=lambda one: one[:2])]
    if as_json:
        data = counts_data(kinds, done) if counts else letters_data(shown, replayed)
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    if not kinds:
        click.echo("no dead letters" + ("" if choice.is_all else " like that"))
        return
    if counts:
        _console().print(counts_table(kinds, done))
        return
    _console().print(letters_table(shown, replayed))
    told = f", {done.total():,} of them replayed" if done.total() else ""
    click.echo(f"{_letters(kinds.total())} ({counted(kinds)}){told}; {len(last):,} shown")


@dead_letters.command("show")
@click.argument("place", type=InPlace())
@click.option("--content", is_flag=True, help="The original bytes, on standard output.")
def show_command(place: Place, content: bool) -> None:
    """Show one dead letter with all that is known of it.

    PLACE is where its original stands, as `list` shows it, or where it stands itself in
    vip.dead-letters: 'TOPIC[PARTITION]@OFFSET', or TOPIC:PARTITION:OFFSET.

    Its content may hold personal data: it is shown masked, the names of its fields without their
    values. With --content it is shown as it is.
    """
    kafka = load_settings().kafka
    with _saying():
        found = list(find(kafka, Choice(places=frozenset((place,))), _say))
        if not found:
            raise UserError(f"no dead letter of {place}: `vipcare dead-letters list` shows them")
        if content and len(found) > 1:
            places = ", ".join(str(kept.at) for kept in found)
            raise UserError(f"{place} has {len(found)} dead letters, name one of them: {places}")
        replayed = replayed_letters(kafka)
    for kept in found:
        _show(kept, replayed.get(kept.at), content=content)


def _show(kept: Kept, replayed: Place | None, *, content: bool) -> None:
    letter = kept.letter
    click.echo(f"dead letter: {kept.at}", err=content)
    for name, text in letter.headers():
        told = plain(text.decode(), len(text))
        click.echo(f"{name.removeprefix('vipcare-')}: {told}", err=content)
    if replayed is not None:
        click.echo(f"replayed: {replayed}", err=content)
    if letter.is_cut:
        cut = f"cut: the first {MAX_VALUE_BYTES:,} of {letter.length:,} bytes"
        click.echo(cut, err=content)
    if not content:
        click.echo("content, masked (it may hold personal data; --content shows it):")
        click.echo(masked(letter.value))
        return
    click.echo("Careful: the content may hold personal data.", err=True)
    sys.stdout.flush()
    click.get_binary_stream("stdout").write(letter.value)


@dead_letters.command("replay")
@click.argument("places", nargs=-1, type=InPlace(), metavar="[PLACE]...")
@_chosen
@click.option("--all", "whole", is_flag=True, help="Every letter.")
@click.option(
    "--again",
    is_flag=True,
    help="Also letters that were replayed before, and conflicts. What is no longer among the "
    "recent ids of its customer's record (step.duplicates_*) counts as a new event.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def replay_command(choice: Choice, whole: bool, again: bool, dry_run: bool) -> None:
    """Send the events of dead letters to the worker again.

    Mend first what they were refused for. Choose letters by their PLACE (see `show`), by options,
    or --all. Each goes to vip.internal as it is, under its own source and id, keyed by its subject;
    those of one customer go in the order in which they were refused. A letter is replayed once: a
    second time says so, and an event that was applied meanwhile counts once. One that is refused
    again becomes another dead letter, whose header `vipcare-first` names the original of the first.

    Not replayed are letters that were cut, those that ClickHouse refused, those of no customer, and
    what would be refused again as it is: a conflict, a time that has not come, what this version
    cannot read. Exit status 2 if a PLACE was not replayed for such a reason, or has no letter.
    """
    if choice.is_all and not whole:
        raise UserError("say which letters: a PLACE, an option such as --topic, or --all")
    settings = load_settings()
    with _saying():
        planned = plan(settings, choice, Judge.of(settings, again=again), _say)
        _tell_left_out(planned)
        if not planned.ready and not planned.left_out:
            _check_topic(settings, choice)
        if dry_run:
            click.echo(f"{_letters(len(planned.ready))} would be replayed")
        else:
            for sent, _ in enumerate(replay(settings, choice, planned.ready), start=1):
                if sent % _SAY_EVERY == 0:
                    click.echo(f"{sent:,} of {len(planned.ready):,} sent", err=True)
            click.echo(f"{_letters(len(planned.ready))} replayed")
    if choice.places is not None and planned.hindered:
        raise UserError("not all of these can be replayed: see above")


def _check_topic(settings: Settings, choice: Choice) -> None:
    """Where nothing was found: a mistyped name must not read as "all is well"."""
    names = [topic.name for topic in all_topics(settings)]
    if choice.topic is not None and choice.topic not in names:
        topic = plain(choice.topic)
        raise UserError(
            f"there is no topic {topic}, and no letter of it; topics: {', '.join(names)}"
        )


def _tell_left_out(planned: Plan) -> None:
    for place in sorted(planned.missing):
        click.echo(f"{place}: no dead letter", err=True)
    for (why, detail), hindered in planned.told.items():
        more = hindered.count - len(hindered.first)
        which = ", ".join(map(str, hindered.first)) + (f" and {more:,} more" if more else "")
        _say(f"{which}: {why}: {detail}")
    if planned.left_out:
        kinds = ", ".join(f"{count:,} {why}" for why, count in planned.left_out.most_common())
        click.echo(f"left out: {kinds}")


def _letters(count: int) -> str:
    return f"{count:,} dead letter{'' if count == 1 else 's'}"


def _say(line: str) -> None:
    """What a letter's sender wrote may stand in it."""
    click.echo(str(plain(line, _LONGEST)), err=True)


@contextmanager
def _saying() -> Iterator[None]:
    """What Kafka cannot do is said in a line."""
    try:
        yield
    except (ReadingError, SendingError) as error:
        raise UserError(str(error)) from error


def _console() -> Console:
    """As wide as the terminal; in a pipe as wide as the lines are."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 250)
