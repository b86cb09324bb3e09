"""Scores: points of signals, kept in the profile, high from a threshold on until they are released.

A score is of the customer's newest event: one that arrives late changes windows, and what the next
event finds in them.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.profile import Score
from schemas.record import Record
from schemas.rule_parts import Text
from schemas.rule_scores import Score as ScoreDefinition
from schemas.rule_scores import Signal
from streams.fold.bounded import trim
from streams.texts import fill

MAX_SCORES = 12
_BETWEEN = {"en": "; ", "zh": "；"}


class Scored(NamedTuple):
    score: Score
    reasons: Sequence[Signal]
    """The signals that hold."""

    def crosses(self, definition: ScoreDefinition) -> bool:
        return not self.score.raised and self.score.points >= definition.threshold


def stays_low(record: Record, name: str, points: int, held: Iterable[bool]) -> bool:
    """Whether a low score was as low before, for the same signals: nearly always, and nothing
    follows from it."""
    kept = record.profile.scores.get(name)
    return (
        kept is not None
        and kept.points == points
        and not kept.raised
        and kept.signals == [place for place, holds in enumerate(held) if holds]
    )


def reckon(
    record: Record, definition: ScoreDefinition, held: Iterable[object], at: int
) -> Scored | None:
    """The score as it is now, with signals of which these hold; None if the event is not the
    newest."""
    if at < record.activity.latest:
        return None
    places = [place for place, holds in enumerate(held) if holds]
    reasons = [definition.signals[place] for place in places]
    points = sum([one.points for one in reasons])
    kept = record.profile.scores.get(definition.name)
    raised = kept is not None and kept.raised and points >= definition.release
    return Scored(Score(points=points, at=at, raised=raised, signals=places), reasons)


def said(reasons: Iterable[Text], language: str, values: Mapping[str, str]) -> str:
    """Reasons in a row, in one of the bank's languages."""
    texts = (fill(getattr(one, language), values) for one in reasons)
    return _BETWEEN[language].join(texts)


def drop_others(record: Record, names: Container[str]) -> bool:
    """Take scores of other names out of the profile, those of rules that are gone; whether there
    were any."""
    gone = [name for name in record.profile.scores if name not in names]
    if gone:
        scores = record.edit_profile().scores
        for name in gone:
            del scores[name]
    return bool(gone)


def keep(record: Record, name: str, score: Score) -> bool:
    """Put it into the profile; whether that says something new."""
    kept = record.profile.scores.get(name)
    told = (score.points, score.raised, score.signals)
    if kept is not None and (kept.points, kept.raised, kept.signals) == told:
        return False
    profile = record.edit_profile()
    profile.scores[name] = score
    trim(profile.dropped, "scores", profile.scores, MAX_SCORES, lambda one: one.at)
    return True
