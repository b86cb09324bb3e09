"""`vipcare clickhouse`: the local ClickHouse in the foreground."""

from pathlib import Path

import click

from agents.cli.errors import UserError
from agents.logs import configure
from config.load import load_settings
from sinks.local_clickhouse.errors import LocalClickHouseError
from sinks.local_clickhouse.server import LocalClickHouse, serve


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=9000,
    show_default=True,
    help="Port on 127.0.0.1; 0 chooses a free one and says it.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".vipcare/clickhouse"),
    show_default=True,
    help="Where the tables are kept; one process at a time.",
)
def clickhouse(port: int, data: Path) -> None:
    """Run the local ClickHouse until Ctrl-C: the real engine, the native protocol, on loopback.

    For a laptop and for tests: one user without a password, whose SQL can read this user's files.
    clickhouse-driver and clickhouse-client speak to it as to a server.
    """
    configure(load_settings().log)
    try:
        serve(data, port=port, on_ready=_say)
    except LocalClickHouseError as error:
        raise UserError(str(error)) from error


def _say(server: LocalClickHouse) -> None:
    click.echo(f"clickhouse on {server.host}:{server.port} (native protocol; Ctrl-C ends it)")
