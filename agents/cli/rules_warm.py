"""`vipcare rules warm`: fill a rule's windows with what happened before it came into force."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import click

from agents.backtest.archived import Archived, ArchiveError, read_files
from agents.backtest.choice import ChoiceError
from agents.backtest.from_clickhouse import read_clickhouse
from agents.backtest.from_kafka import read_kafka
from agents.cli.bank_time import bank_time
from agents.cli.cores import cores_here
from agents.cli.errors import UserError
from agents.cli.like_ctrl_c import ends_like_ctrl_c
from agents.cli.params import archive_option
from agents.cli.progress import progress
from agents.cli.who import check_who
from agents.own_folder import OwnFolderError
from agents.sending import SendingError
from agents.warming.error import WarmingError
from agents.warming.plan import Plan, plan
from agents.warming.run import Filled
from agents.warming.run import warm as warm_rule
from config.load import load_settings
from config.placed_yaml import FileErrors
from config.settings import Settings


@click.command()
@click.argument("name", metavar="RULE")
@archive_option("An archive, as for backtest: Parquet, or one event a line. Several may be given.")
@click.option(
    "--source",
    type=click.Choice(("kafka", "clickhouse")),
    help="kafka: what the topics hold. clickhouse: what the sink stored, for years.",
)
@click.option("--partly", is_flag=True, help="Fill what there is, though the rule looks back more.")
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--as", "who", metavar="NAME", help="Who does this; a dry run needs nobody.")
@click.option("--cores", type=click.IntRange(1, 256), help="Processes; all cores if left out.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def warm(
    name: str,
    files: tuple[Path, ...],
    source: str | None,
    partly: bool,
    dry: bool,
    who: str | None,
    cores: int | None,
    as_json: bool,
) -> None:
    """Fill a new rule's windows from history.

    A rule that comes into force knows nothing of before: one that looks back 90 days says too
    little for 90 days, and what it sends says `warm: false`. This reads an archive up to where
    workers took the rule up (the journal says the offset of each topic), makes of each customer's
    events what the rule's windows would hold, and sends it over vip.internal. Workers put it to
    what came since, without a pause; nothing counts twice, nor if this is killed and run again.
    Once they have all, the rule is warm.

    RULE is the id of a rule in force (or its RULE@VERSION), best in shadow: warm it, look at what
    it would do, then approve it as live. Windows that it shares with rules that are in force longer
    stay as they are.
    Who may publish or approve rules may warm them; it is on vip.audit (`vipcare rules history`).
    It takes the rights of an operator and of an analyst (`vipcare topics acls`).

    \b
    vipcare rules approve my-rule --status shadow --as li
    vipcare rules warm my-rule --source clickhouse --dry-run
    vipcare rules warm my-rule --source clickhouse --as li
    vipcare rules approve my-rule --status live --as li
    """
    settings = load_settings()
    if bool(files) == bool(source):
        raise UserError("name one archive: --events FILE, or --source kafka or clickhouse")
    if not dry:
        if who is None:
            raise UserError("say who does this: --as NAME; or try it with --dry-run")
        check_who(settings, who, "authors", "publishers")
    now = bank_time(settings)
    began = time.monotonic()
    try:
        with ends_like_ctrl_c(), progress() as show:
            made = plan(settings, name, show)
            filled = warm_rule(
                settings,
                made,
                _archive(settings, files, source),
                now,
                cores or cores_here(),
                show,
                has_offsets=not files,
                partly=partly,
                who=None if dry else who,
            )
    except (
        ArchiveError,
        ChoiceError,
        FileErrors,
        OwnFolderError,
        SendingError,
        WarmingError,
    ) as error:
        raise UserError(str(error)) from None
    if as_json:
        click.echo(json.dumps(_data(made, filled, time.monotonic() - began, dry=dry), indent=2))
        return
    for line in _lines(made, filled, files, dry=dry):
        click.echo(line)


def _archive(settings: Settings, files: tuple[Path, ...], source: str | None) -> Iterator[Archived]:
    if files:
        return read_files(files)
    return read_kafka(settings) if source == "kafka" else read_clickhouse(settings)


def _data(made: Plan, filled: Filled, seconds: float, *, dry: bool) -> dict[str, object]:
    return {
        "rule": made.rule.id,
        "version": made.rule.version,
        "sent": not dry,
        "customers": filled.customers,
        "bytes": filled.bytes,
        "messages": filled.messages,
        "future": filled.future,
        "archive_since": made.day(filled.since),
        "in_force_since": made.day(made.first_cut),
        "warm_from": made.day(made.warm_with(filled.since)),
        "otherwise_warm_from": made.day(made.warm_from),
        "windows": {
            str(partition): {key: f"before chunk {number}" for key, number in numbers.items()}
            for partition, numbers in made.numbers.items()
        },
        "seconds": round(seconds, 1),
    }


def _lines(made: Plan, filled: Filled, files: tuple[Path, ...], *, dry: bool) -> Iterator[str]:
    windows = len({key for numbers in made.numbers.values() for key in numbers})
    asked = len({look.key for look in made.looks})
    others = ", ".join(one.id for one in made.sharing if one.id != made.rule.id)
    of = f" for {others}" if others else ""
    shared = f"; {asked - windows} more were kept before{of}, and stay" if asked > windows else ""
    yield (
        f"{made.rule.id}@{made.rule.version}, {made.rule.status}, in force since "
        f"{made.day(made.first_cut)}: {windows} windows to fill in {len(made.numbers)} partitions"
        f"{shared}"
    )
    yield (
        f"the archive has {filled.messages:,} messages, whole from {made.day(filled.since)} on: "
        f"{filled.customers:,} customers have something, {filled.bytes:,} bytes"
    )
    if filled.future:
        yield (
            f"{filled.future:,} messages are left out: they are dated after they were sent, as "
            "workers refuse them"
        )
    if any(path.suffix != ".parquet" for path in files):
        yield (
            "lines have no offsets: what they tell counts if its time is before the rule came into "
            "force, so what happened in the seconds around it may be missing or count twice"
        )
    warm_from, otherwise = made.warm_with(filled.since), made.day(made.warm_from)
    is_whole = warm_from <= made.first_cut
    warm = "warm at once" if is_whole else f"warm from {made.day(warm_from)} on"
    if dry:
        yield f"nothing was sent. Filled, the rule is {warm}; if not, from {otherwise} on"
    else:
        yield f"sent. Once workers have taken it the rule is {warm}, otherwise from {otherwise} on"
