"""What a rule does to the record itself, after all rules of the step were evaluated."""

from collections.abc import Callable

from schemas.effects import RecordAction
from schemas.record import Record
from schemas.rules import NoteTemplate, RuleDefinition
from streams.fold import basics, interests, service_line
from streams.fold.bounded import cut


def act(record: Record, rule: RuleDefinition, action: RecordAction, at: int) -> bool:
    """Do it, as an event of that time would; whether anything changed.

    What is there already stays as it is, so that who told of an interest is not forgotten.
    """
    return _ACTS[action](record, rule, at)


def name_of(rule: RuleDefinition, action: RecordAction) -> str:
    """The tag, the interest, what a note is about."""
    asked = getattr(rule.then, action)
    return asked.about if isinstance(asked, NoteTemplate) else str(asked)


def _tag(record: Record, rule: RuleDefinition, at: int) -> bool:
    tag = name_of(rule, "tag")
    if tag in record.profile.tags:
        return False
    profile = record.edit_profile()
    basics.add_tag(profile, tag, at)
    return tag in profile.tags


def _untag(record: Record, rule: RuleDefinition, at: int) -> bool:
    tag = name_of(rule, "untag")
    if tag not in record.profile.tags:
        return False
    profile = record.edit_profile()
    basics.remove_tag(profile, tag, at)
    return tag not in profile.tags


def _interest(record: Record, rule: RuleDefinition, at: int) -> bool:
    name = name_of(rule, "interest")
    if name in record.profile.interests:
        return False
    profile = record.edit_profile()
    interests.record_interest(profile, name, cut(f"rule:{rule.id}"), at)
    return name in profile.interests


def _note(record: Record, rule: RuleDefinition, at: int) -> bool:
    note = service_line.note_of(rule.id, name_of(rule, "note"), at)
    service_line.enter(record.activity, note)
    return True


_ACTS: dict[RecordAction, Callable[[Record, RuleDefinition, int], bool]] = {
    "untag": _untag,
    "tag": _tag,
    "interest": _interest,
    "note": _note,
}
