"""`vipcare rules backtest`: what rules would have done on what happened."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from agents.backtest.archived import Archived, ArchiveError, Files, is_parquet
from agents.backtest.begins import begins
from agents.backtest.choice import ChoiceError, Known, choose
from agents.backtest.from_clickhouse import read_clickhouse
from agents.backtest.from_kafka import read_kafka
from agents.backtest.job import Question
from agents.backtest.journal import run_journal
from agents.backtest.picture import is_lacking, picture
from agents.backtest.report import as_data
from agents.backtest.run import run
from agents.cli.bank_time import bank_time
from agents.cli.cores import cores_here
from agents.cli.errors import UserError
from agents.cli.like_ctrl_c import ends_like_ctrl_c
from agents.cli.out_file import whole_file
from agents.cli.params import archive_option
from agents.cli.progress import progress
from agents.cli.rules_at_hand import told_at_hand
from agents.clock import BankClock
from agents.core import core_settings
from agents.own_folder import OwnFolderError
from agents.reading import ReadingError
from agents.terminal import console
from config.load import load_settings
from config.placed_yaml import FileErrors
from config.settings import Settings
from schemas.envelope import to_millis
from streams.backtest.tally import Span
from streams.rules.register import RegisterError


@click.command()
@click.argument("names", nargs=-1, metavar="[RULE]…")
@archive_option(
    "An archive: events and facts, one a line, what `vipcare bank --out` wrote, or Parquet. "
    "Several may be given."
)
@click.option(
    "--source",
    type=click.Choice(("kafka", "journal", "clickhouse")),
    help="kafka: all that the topics hold, in the order of event times. journal: the same, along "
    "vip.journal, chunk by chunk as workers took it. clickhouse: what the sink stored, "
    "without what identifies a person, attributes too.",
)
@click.option("--from", "start", metavar="DAY", help="Count from this day or instant on.")
@click.option("--to", "end", metavar="DAY", help="To the end of this day, or up to this instant.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write every effect there, one a line; `-` is standard output.",
)
@click.option("--cores", type=click.IntRange(1, 256), help="Processes; all cores if left out.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def backtest(
    names: tuple[str, ...],
    files: tuple[Path, ...],
    source: str | None,
    start: str | None,
    end: str | None,
    out: Path | None,
    cores: int | None,
    as_json: bool,
) -> None:
    """Try rules on what happened.

    How often they would have fired, for whom, whose work it is.

    RULE is the id of a rule in force, or a file or folder. Named rules run as if they were live and
    are set beside the live ones of the same id; without a name all in force run as they stand. The
    events before --from fill windows and records, and are not counted; without it all are. Days are
    the bank's (step.time_zone).

    \b
    vipcare bank --out bank.jsonl --days 90
    vipcare rules backtest --events bank.jsonl
    vipcare rules backtest my-rule.yaml --events bank.jsonl --from 2025-12-01 --out tasks.jsonl
    vipcare rules backtest my-rule.yaml --source kafka
    """
    settings = load_settings()
    if bool(files) == bool(source):
        raise UserError("name one archive: --events FILE, or --source kafka, journal or clickhouse")
    if out is not None and out.suffix == ".parquet":
        raise UserError(f"{out}: effects are lines of JSON, not Parquet: name it .jsonl")
    try:
        known = told_at_hand(settings)
        question = _question(names, known.with_versions(names, settings), settings, start, end)
        clock = BankClock.from_settings(settings.clock)
        now = bank_time(settings) if source == "kafka" else clock.now()
        began = time.monotonic()
        reads = [*files, *filter(Path.is_file, map(Path, names))]
        of_files = Files(files)
        with ends_like_ctrl_c(), ExitStack() as opened:
            written = opened.enter_context(whole_file(out, reads)) if out is not None else None
            show = opened.enter_context(progress())
            many = cores or cores_here()
            if source == "journal":
                result = run_journal(settings, question, many, show, written)
            else:
                archive = of_files if files else _live(settings, source)
                is_live = not files
                result = run(archive, question, now, many, show, written, is_live=is_live)
            if source == "kafka":
                result = result._replace(begins=begins(settings, now))
    except (
        ArchiveError,
        ChoiceError,
        FileErrors,
        OwnFolderError,
        ReadingError,
        RegisterError,
    ) as error:
        raise UserError(str(error)) from None
    is_stored = source == "clickhouse" or any(map(is_parquet, files))
    place = of_files.place if files else str
    data = as_data(result, time.monotonic() - began, is_stored=is_stored, place=place)
    _tell(data, as_json, beside=str(out) == "-")


def _live(settings: Settings, source: str | None) -> Iterator[Archived]:
    return read_kafka(settings) if source == "kafka" else read_clickhouse(settings)


def _question(
    names: tuple[str, ...], known: Known, settings: Settings, start: str | None, end: str | None
) -> Question:
    core = core_settings(settings)
    zone = core.time_zone
    since = 0 if start is None else _instant(start, zone, days=0)
    until = 0 if end is None else _instant(end, zone, days=1)
    if until and until <= since:
        raise UserError("--to comes before --from")
    chosen = choose(names, known, settings)
    return Question(chosen.rules, chosen.live, core, Span(since, until, zone))


def _instant(text: str, zone: tzinfo, days: int) -> int:
    """A day or an instant of the bank; of a day its beginning, so many days later."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text!r} is no day: write 2026-01-31 or 2026-01-31T09:00") from None
    if len(text) <= len("2026-01-31"):
        found += timedelta(days=days)
    return to_millis(found if found.tzinfo else found.replace(tzinfo=zone))


def _tell(data: dict[str, Any], as_json: bool, beside: bool) -> None:
    if as_json:
        if lacking := is_lacking(data):
            click.echo(f"vipcare: warning: {lacking}", err=True)
        click.echo(json.dumps(data, ensure_ascii=False, indent=2), err=beside)
        return
    screen = console()
    if beside:
        screen.stderr = True
    for part in picture(data):
        screen.print(part, soft_wrap=not isinstance(part, Table))
