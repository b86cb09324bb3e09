"""May this user do what its role does? As far as Kafka tells; of transactional ids it does not."""

from collections.abc import Iterator

from agents.doctor.finding import Examined, Finding, fail, ok
from agents.rights_check import missing_rights, user_of


def rights(examined: Examined) -> Iterator[Finding]:
    """A line for each right that is missing."""
    settings = examined.settings
    problems = [
        fail(
            f"{user_of(settings.kafka)} lacks a right that role {role} needs: {right}",
            f"`vipcare topics acls {role}` prints what to give",
        )
        for role in sorted(examined.roles)
        for right in missing_rights(role, settings)
    ]
    yield from problems
    if not problems:
        yield ok(f"every right of {', '.join(sorted(examined.roles))}, as far as Kafka tells")
