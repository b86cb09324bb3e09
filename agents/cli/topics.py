"""`vipcare topics`: make the topics, or see what is wrong with them."""

import click

from agents.cli.errors import UserError
from agents.topics import TopicsError, all_topics, check, create
from config.load import load_settings


@click.group()
def topics() -> None:
    """Make the Kafka topics, or check them."""


@topics.command("create")
def create_command() -> None:
    """Make the topics that are missing; nothing that is there is changed."""
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
    """Compare the topics with what vipcare needs; exit status 2 if one differs."""
    settings = load_settings()
    try:
        problems = check(settings)
    except TopicsError as error:
        raise UserError(str(error)) from error
    _complain(problems)
    click.echo(f"all {len(all_topics(settings))} topics are as they should be")


def _complain(problems: list[str]) -> None:
    if problems:
        raise UserError("\n".join(problems))
