"""What all customers are told of, campaigns and holidays, as an archive has it at each time."""

from collections.abc import Iterable
from contextlib import suppress

from schemas.decode import BrokenEventError, UnknownTypeError, decode_fact
from schemas.events.campaign import CAMPAIGNS
from streams.announced import Announced
from streams.backtest.facts import FactsInTime
from streams.context import CoreSettings
from streams.inputs import Raw

Named = tuple[str, str]
"""An event's source and id."""


def announcements(
    core: CoreSettings, facts: FactsInTime, told: Iterable[Raw]
) -> dict[Named, list[Announced]]:
    """What all customers are told of, as it first stood and as it was corrected, by the events that
    announced and corrected it; effects name the former alone. `told` are the archive's facts."""
    found: dict[Named, list[Announced]] = {}
    mappings = {id(one.announced): one.announced for one in facts.held}
    for one in (*core.holidays, *(one for held in mappings.values() for one in held.values())):
        several = found.setdefault((one.cause.source, one.cause.id), [])
        if one not in several:
            several.append(one)
    said = {(one.name, one.data): several for several in found.values() for one in several}
    for raw in told:
        if raw.topic != CAMPAIGNS:
            continue
        with suppress(BrokenEventError, UnknownTypeError):
            fact = decode_fact(raw.value or b"")
            if these := said.get((fact.subject, fact.data)):
                found.setdefault((fact.source, fact.id), these)
    return found
