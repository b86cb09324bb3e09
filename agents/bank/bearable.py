"""What a storyline's customer can pay at most: a step beyond that is a mistake of the storyline.

The most that such a customer can have is reckoned with the least that each step may take, so that
what is told here can be played by nobody.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agents.bank.complete import span
from agents.bank.persona import CARD_LIMIT, LARGEST_USUAL
from agents.bank.population import LARGEST_FOREIGN, LARGEST_FUNDS
from agents.bank.storyline import Storyline, StoryStep

_OUT = frozenset(("deposit.placed", "product.purchased", "loan.repaid"))
_IN = frozenset(("deposit.redeemed", "product.redeemed", "loan.drawn", "transfer.reversed"))
_ORDINARY = 20
"""Of a step that says no amount, in usual amounts: more than any ordinary one."""


class Unbearable(NamedTuple):
    step: int
    """Its place among the steps."""
    message: str


def unbearable(storyline: Storyline) -> Iterator[Unbearable]:
    """The steps that take more than can be there, with what to do. All amounts in base currency."""
    needs = storyline.persona
    usual = needs.usual or LARGEST_USUAL[needs.tier or "diamond"]
    most = float(max(usual * LARGEST_FUNDS, needs.funds or 0) + usual * LARGEST_FOREIGN)
    limit = float(usual * CARD_LIMIT)
    kept: dict[str, float] = {}
    for place, step in enumerate(storyline.steps):
        least, highest = _amount(step, usual)
        if highest is None:
            highest = kept.get(step.same or "", float(usual * _ORDINARY))
        if step.same:
            kept[step.same] = highest
        fewest, _, many = step.times.partition("..")
        if step.event in ("card.issued", "card.limit_changed"):
            limit = _told(step.data, "limit") or highest
        elif step.event == "balance.reported" and "amount" in step.data:
            most = highest
        elif step.event == "card.authorised" and least > limit:
            yield Unbearable(place, _card_says(least, limit))
        elif _goes_out(step):
            if (wanted := least * int(fewest)) > most:
                yield Unbearable(place, _account_says(wanted, most))
            most = max(0.0, most - wanted)
        elif step.event in _IN or step.event == "transfer.completed":
            most += highest * int(many or fewest)


def _goes_out(step: StoryStep) -> bool:
    if step.event == "transfer.completed":
        return str(step.data.get("direction", "out")) == "out"
    return step.event in _OUT


def _amount(step: StoryStep, usual: int) -> tuple[float, float | None]:
    """The least and the most that a step is about; 0 and None if it does not say."""
    if "amount" in step.data:
        return span(step.data["amount"], usual)
    said = _told(step.data, "principal")
    return (said, said) if said else (0.0, None)


def _told(data: Mapping[str, object], name: str) -> float:
    return float(str(data.get(name) or 0))


def _account_says(wanted: float, most: float) -> str:
    return (
        f"this takes {wanted:,.0f}, and at most {most:,.0f} can be on the accounts of this persona "
        "by then: say persona.funds, a larger persona.usual, or let money come in before"
    )


def _card_says(wanted: float, limit: float) -> str:
    return (
        f"this pays {wanted:,.0f} by a card with a limit of at most {limit:,.0f}: say a larger "
        "persona.usual, or raise the limit before (card.limit_changed)"
    )
