"""The console script `vipcare`: a click group whose commands are imported when they are called.

Exit status: 0 done; 1 failed, or an unexpected fault; 2 something that the caller can mend (one
line on stderr says what, where and what to do); 130 interrupted.
"""

import difflib
import errno
import gc
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import click

from agents.cli.early_stop import SERVICES, end_in_order_on_sigterm
from agents.local.lifeline import follow_parent


class Lazy(NamedTuple):
    """A command by name: the short help is here, so that `vipcare --help` imports none."""

    target: str
    help: str


SECTIONS: dict[str, dict[str, Lazy]] = {
    "See it run": {
        "up": Lazy("agents.cli.up:up", "Everything on this machine, with a simulated VIP bank."),
    },
    "The parts, each a process of its own": {
        "broker": Lazy("agents.cli.broker:broker", "The embedded broker (memory only)."),
        "kafka": Lazy("agents.cli.kafka:kafka", "Apache Kafka, one node (Java 17, Maven)."),
        "clickhouse": Lazy("agents.cli.clickhouse:clickhouse", "The local ClickHouse."),
        "worker": Lazy("agents.cli.worker:worker", "Reads events, keeps records, fires rules."),
        "sink": Lazy("agents.cli.sink:sink", "Writes topics to ClickHouse."),
        "bank": Lazy("agents.cli.bank:bank", "The simulated bank: history, then live events."),
    },
    "Set up and look after": {
        "topics": Lazy(
            "agents.cli.topics:topics",
            "Create or check the topics; what ACLs they need.",
        ),
        "migrate": Lazy("agents.cli.sink:migrate", "Create or update ClickHouse's tables."),
        "events": Lazy("agents.cli.events:events", "Check or send events from a file."),
        "customer": Lazy(
            "agents.cli.customer:customer", "One customer: profile, assets, time line."
        ),
        "rules": Lazy("agents.cli.rules:rules", "Check, try and publish rules."),
        "attributes": Lazy(
            "agents.cli.attributes:attributes", "Check or list the fields that the bank adds."
        ),
        "calendar": Lazy("agents.cli.calendar:calendar", "Check or show the business days."),
        "dead-letters": Lazy(
            "agents.cli.dead_letters:dead_letters", "What was refused, why; replay."
        ),
        "doctor": Lazy("agents.cli.doctor:doctor", "What is wrong with a setup, and what to do."),
        "settings": Lazy("agents.cli.settings:settings", "The settings in force, without secrets."),
    },
}
COMMANDS = {name: lazy for section in SECTIONS.values() for name, lazy in section.items()}

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CONTEXT = {"help_option_names": ["-h", "--help"]}
_EPILOG = "Start with `vipcare up`; `vipcare COMMAND --help` explains a command."


class LazyGroup(click.Group):
    """Imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        _ = ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        _ = ctx
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        module, _, attribute = lazy.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        gc.enable()
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"there is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _ = ctx
        width = max(map(len, COMMANDS))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), lazy.help) for name, lazy in commands.items()]
                )


@click.command(
    cls=LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="vipcare", message="vipcare %(version)s")
def cli() -> None:
    """vipcare looks after a bank's VIP customers: it reads core-banking, card and app events
    from Kafka, keeps a record of each customer, evaluates care and risk rules on every event,
    and sends tasks and alerts to the CRM (Kafka) and to dashboards (ClickHouse).

    Settings come from the environment (VIPCARE_KAFKA__BOOTSTRAP=…) and a YAML file
    (VIPCARE_SETTINGS=FILE); `vipcare settings` shows them.
    """


def main() -> NoReturn:
    """The console script."""
    if SERVICES.intersection(sys.argv[1:2]):
        end_in_order_on_sigterm()
    follow_parent()
    # Until a command configures logs, a library's warnings are no words of ours on stderr.
    logging.getLogger().addHandler(logging.NullHandler())
    gc.disable()  # until the command is there: what modules hold is no garbage
    status = run(sys.argv[1:])
    gc.freeze()  # nor is it worth a search at the end: together a quarter of a short command
    sys.exit(status)


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit status; says on stderr what went wrong."""
    try:
        result = cli.main(list(args), prog_name="vipcare", standalone_mode=False)
    except click.ClickException as error:
        return _refuse(error)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", 130)
    except BrokenPipeError:  # the reader of our output has gone: `vipcare … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001, RUF100  # the last resort: no traceback for a user
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def _refuse(error: click.ClickException) -> int:
    message = error.format_message()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(message)  # `vipcare`, `vipcare topics`: not a mistake, a question
        return 2
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "vipcare"
        return _say(f"{message} (see {path} --help)", 2)
    return _say(message, 2 if isinstance(error, click.FileError) else error.exit_code)


def _unexpected(error: Exception) -> int:
    if os.environ.get("VIPCARE_DEBUG"):
        traceback.print_exception(error)
        return 1
    from tempfile import gettempdir  # noqa: PLC0415  # not for `vipcare --help`

    from config.load import SettingsError  # noqa: PLC0415  # heavy, and not for `vipcare --help`
    from streams.rules.errors import RuleErrors  # noqa: PLC0415  # likewise

    if isinstance(error, SettingsError):
        return _say(f"settings: {error}", 2)
    if isinstance(error, OSError) and error.errno in _FULL:
        told = f"{error.strerror}: what is written on the way goes to TMPDIR ({gettempdir()})"
        return _say(told, 2)
    if isinstance(error, RuleErrors):  # those that are tried do not go with those in force
        return _say(str(error), 2)
    if wrong := _wrong_kafka_setting(error):
        return _say(
            f"settings: kafka: {wrong}: look at VIPCARE_KAFKA__SECURITY_PROTOCOL, "
            "VIPCARE_KAFKA__SASL_MECHANISM and VIPCARE_KAFKA__CA_FILE",
            2,
        )
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return _say(f"unexpected: {what} (VIPCARE_DEBUG=1 shows where)", 1)


def _wrong_kafka_setting(error: Exception) -> str:
    """Why Kafka's client cannot be made of the settings; empty if it is another error."""
    from confluent_kafka import KafkaError, KafkaException  # noqa: PLC0415  # as above

    told = error.args[0] if isinstance(error, KafkaException) and error.args else None
    if not isinstance(told, KafkaError) or told.code() != KafkaError._INVALID_ARG:
        return ""
    return told.str()


def _say(message: str, status: int) -> int:
    """One line for each thing that is wrong; the first says who speaks."""
    lines = [" ".join(line.split()) for line in message.splitlines() if line.strip()]
    click.echo("vipcare: " + "\n         ".join(lines), err=True)
    return status


if __name__ == "__main__":
    main()
