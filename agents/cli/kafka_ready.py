"""Before a part begins: can it use the wire, has Kafka transactions, has this user the rights, are
the topics in order."""

from confluent_kafka import KafkaException

from agents.cli.errors import UserError
from agents.diagnosis import transactions_problem, wire_problem
from agents.rights import Role, topics_of
from agents.rights_check import lacking, missing_rights, user_of
from agents.topics import TopicsError, check
from config.settings import Settings


def topic_problems(settings: Settings, role: Role) -> list[str]:
    """What is wrong with the role's topics, one line each.

    Raises UserError if Kafka cannot be reached, keeps no transactions although the settings say so,
    or does not let this user do what the role does.
    """
    if problem := wire_problem(settings.kafka) or transactions_problem(settings.kafka):
        raise UserError(problem)
    try:
        if missing := missing_rights(role, settings):
            raise UserError(lacking(missing, role, user_of(settings.kafka)))
        return check(settings, topics_of(role, settings))
    except KafkaException as error:
        raise UserError(f"Kafka at {settings.kafka.bootstrap}: {error.args[0].str()}") from error
    except TopicsError as error:
        raise UserError(str(error)) from error


def check_kafka(settings: Settings, role: Role) -> None:
    """Raises UserError, also if there is something wrong with a topic."""
    if problems := topic_problems(settings, role):
        raise UserError("\n".join(problems))
