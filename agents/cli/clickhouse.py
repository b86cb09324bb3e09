"""`vipcare clickhouse`: the local ClickHouse in the foreground."""

from pathlib import Path

import click

from agents.cli.errors import UserError
from agents.cli.foreground import PORT, data_option, port_option
from agents.logs import configure
from config.load import load_settings
from sinks.local_clickhouse.errors import LocalClickHouseError
from sinks.local_clickhouse.server import LocalClickHouse, serve
from sinks.local_clickhouse.user import User


@click.command()
@port_option(9000, " of the native protocol")
@click.option(
    "--http-port",
    type=PORT,
    help="Port of HTTP, likewise.  [default: the setting clickhouse.http_port, 8123]",
)
@data_option(".vipcare/clickhouse", "the tables are")
def clickhouse(port: int, http_port: int | None, data: Path) -> None:
    """Run the local ClickHouse until Ctrl-C: the real engine, on loopback, native and HTTP.

    For a laptop and for tests: one user, whose SQL can read this user's files. Name and password
    are the settings clickhouse.user and clickhouse.password, which the sink uses, too.

    \b
    clickhouse-client --query "SHOW DATABASES"
    curl http://127.0.0.1:8123 --data "SELECT version()"
    curl "http://127.0.0.1:8123/?query=INSERT+INTO+t+FORMAT+CSV" --data-binary @rows.csv
    """
    settings = load_settings()
    configure(settings.log)
    section = settings.clickhouse
    user = User(section.user, section.password.get_secret_value())
    if http_port is None:
        http_port = section.http_port
    try:
        serve(data, port=port, http_port=http_port, user=user, on_ready=_say)
    except LocalClickHouseError as error:
        raise UserError(str(error)) from error


def _say(server: LocalClickHouse) -> None:
    click.echo(
        f"clickhouse on {server.host}:{server.port} (native protocol),"
        f" http://{server.host}:{server.http_port} (HTTP); Ctrl-C ends it"
    )
