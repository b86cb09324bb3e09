"""`vipcare topics`: make the topics, or see what is wrong with them."""

import click

from agents.cli.errors import UserError
from agents.rights import ROLES, Role, acl_commands, rights_of
from agents.topics import TopicsError, all_topics, check, create
from config.load import load_settings


@click.group()
def topics() -> None:
    """Make the Kafka topics, or check them."""


@topics.command("create")
def create_command() -> None:
    """Make the topics that are missing.

    Nothing that is there is changed.
    """
    settings = load_settings()
    try:
        made = create(settings)
        problems = check(settings)
    except TopicsError as error:
        raise UserError(str(error)) from error
    for name in made:
        click.echo(f"made {name}")
    click.echo(f"{len(made)} made, {len(all_topics(settings)) - len(made)} were there")
    _complain(problems)


@topics.command("check")
def check_command() -> None:
    """Compare the topics with what vipcare needs.

    Exit status 2 if one differs.
    """
    settings = load_settings()
    try:
        problems = check(settings)
    except TopicsError as error:
        raise UserError(str(error)) from error
    _complain(problems)
    click.echo(f"all {len(all_topics(settings))} topics are as they should be")


@topics.command("acls")
@click.argument("role", type=click.Choice(ROLES))
@click.option("--user", help="as Kafka calls it; the default is vipcare-ROLE")
def acls_command(role: Role, user: str | None) -> None:
    """Print the rights that a role needs.

    As command lines of Kafka's own tool.

    \b
    worker    reads events, keeps records, fires rules
    sink      writes topics to ClickHouse
    bank      sends events, and the facts that are the same for all customers
    crm       reads tasks, alerts and profiles, and reports back
    operator  makes and checks topics, looks at dead letters and replays them
    analyst   reads whole events: `rules backtest` and `rules why` over Kafka

    Names follow the settings in force (worker.app, sink.group). Nothing is asked of Kafka, and
    nothing is changed: look at the lines, then run them as who may.
    """
    settings = load_settings()
    rights = rights_of(role, settings)
    for line in acl_commands(rights, f"User:{user or f'vipcare-{role}'}", settings.kafka.bootstrap):
        click.echo(line)


def _complain(problems: list[str]) -> None:
    if problems:
        raise UserError("\n".join(problems))
