"""Storylines from a YAML file, tried on somebody before they are played."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import get_type_hints

import msgspec

from agents.bank.bearable import unbearable
from agents.bank.complete import WORDS, complete, fields_of
from agents.bank.ledger import told
from agents.bank.money import RATES
from agents.bank.population import Population
from agents.bank.storyline import Storyline, Storylines
from config.placed_yaml import FileErrors, FileProblem, PlacedFile, read_placed
from schemas.events import EVENT_TYPES

SHIPPED = Path(__file__).parent / "storylines.yaml"
_BEGINS_WITH = "a file of storylines begins with storylines:"
_SOME_DAY = 1_767_575_400_000


class StorylineErrors(FileErrors):
    """Storylines that cannot be used. One line for each problem: file:line:column: key: what."""


def read_storylines(path: Path) -> tuple[Storyline, ...]:
    """The storylines of a file, in its order. Raises StorylineErrors."""
    file = read_placed(path, Storylines, _BEGINS_WITH)
    problems = [*_problems(file)] if isinstance(file, PlacedFile) else file
    if problems or not isinstance(file, PlacedFile):
        raise StorylineErrors(problems)
    found: tuple[Storyline, ...] = file.content.storylines
    return found


@lru_cache(1)
def shipped_storylines() -> tuple[Storyline, ...]:
    return read_storylines(SHIPPED)


def _problems(file: PlacedFile) -> Iterator[FileProblem]:
    for number, storyline in enumerate(file.content.storylines):
        if found := [*_tried_on(file, number, storyline)]:
            yield from found
            continue
        for place, message in unbearable(storyline):
            step = storyline.steps[place]
            about = "with.amount" if "amount" in step.data else "event"
            yield file.problem(f"storylines.{number}.steps.{place}.{about}", 0, message)


def _tried_on(file: PlacedFile, number: int, storyline: Storyline) -> Iterator[FileProblem]:
    """Play every step on a sample customer: is what it says an event?"""
    population = Population(1, 10, today=_SOME_DAY)
    population.give_part(0, storyline.persona.model_dump(exclude_none=True))
    kept: dict[str, dict[str, object]] = {}
    for place, step in enumerate(storyline.steps):
        key = f"storylines.{number}.steps.{place}"
        if step.event not in EVENT_TYPES:
            near = _near(step.event, EVENT_TYPES)
            yield file.problem(f"{key}.event", 0, f"there is no event type {step.event}{near}")
            continue
        fields = fields_of(step.event)
        for name in set(step.data) - fields - set(WORDS):
            near = _near(name, [*fields, *WORDS])
            yield file.problem(f"{key}.with.{name}", 0, f"{step.event} has no such field{near}")
        label = step.same or ""
        try:
            customer = population.customer(0)
            data = complete(
                step.event,
                dict(step.data),
                kept.get(label, {}),
                Random(0),  # noqa: S311  # a sample
                customer,
                _SOME_DAY,
            )
            data = told(customer, step.event, data)
            msgspec.convert(data, get_type_hints(EVENT_TYPES[step.event])["data"], strict=False)
        except KeyError as error:
            yield file.problem(f"{key}.event", 0, _lacking(step.event, str(error.args[0])))
        except ValueError as error:
            yield _misfit(file, key, set(step.data), error)
        else:
            kept[label] = {**kept.get(label, {}), **data} if label else {}


def _lacking(event: str, name: str) -> str:
    """The bank looked for a field, or for a currency's rate, in vain."""
    if name not in fields_of(event):
        return f"the bank has no rate of the currency {name}: there are {', '.join(RATES)}"
    return (
        f"{event} needs {name}: say it under with:, or let an earlier step with the same `same:` "
        "tell of the thing that this is about"
    )


def _misfit(file: PlacedFile, key: str, said: set[str], error: Exception) -> FileProblem:
    """At the field that the error is about, or else at the event."""
    text = str(error).split("\n", maxsplit=1)[0]
    about = text.rpartition("`$.")[2].split("`")[0].split(".")[0].split("[")[0]
    about = about or text.partition(":")[0]
    place = f"{key}.with.{about}" if about in said else f"{key}.event"
    return file.problem(place, 0, text)


def _near(name: str, known: Iterable[str]) -> str:
    found = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else ""
