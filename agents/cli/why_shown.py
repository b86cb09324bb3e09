"""What `vipcare rules why` shows: for programs, and for people."""

from collections.abc import Iterator
from datetime import tzinfo

import msgspec
from rich.text import Text

from agents.backtest.why import Answer
from agents.terminal import in_language, plain
from schemas.envelope import from_millis
from schemas.rules import RuleDefinition
from streams.months import minute_at, time_at
from streams.rules.answers import Why
from streams.rules.why import Clause

_Marks = dict[bool | None, tuple[str, str]]
_MARKS: _Marks = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}
_NOTHING_AMISS = _MARKS | {False: ("–", "dim")}
_NEVER = 2**53
"""Epoch milliseconds of no calendar."""
_COLD = (
    "it is not warm {}: its windows may lack what happened before it came into force "
    "(vipcare rules warm --help)"
)
_COLD_ARCHIVE = "it is not warm {}: it looks further back than the archive goes"
_WHEN = {
    "event": "as the event came",
    "wait": "before it looks",
    "timer": "as its wait ended",
    "answer": "as no answer had come",
    "silence": "as nothing was heard after it",
    "told": "as customers were told",
    "now": "as things are",
}
_PAUSES = "another event fires it in this stretch of its cooldown"
_COUNTED = "and the event that comes counts as well"
_BY_TIME = "at its time, as if everything had come in the order of times"


def as_data(
    rule: RuleDefinition, customer: str, answer: Answer, since: int | None
) -> dict[str, object]:
    told = [
        {
            **msgspec.to_builtins(one),
            "at": from_millis(one.at).isoformat(),
            "holds": one.holds,
            "fires": one.fires and one.due is None,
            "acts": one.acts and one.due is None,
            "warm": _is_warm(one.at, answer.whole_from, _since(one, since)),
        }
        for one in answer.answers
    ]
    for one_told in told:
        del one_told["warm_from"]
    return {
        "rule": rule.id,
        "version": rule.version,
        "customer": customer,
        "event": answer.event,
        "order": "taken" if answer.as_taken else "time",
        "in_force": _in_force(answer),
        "remarks": [*answer.remarks],
        "answers": told,
        "changes": msgspec.to_builtins(answer.changes),
        "ends": msgspec.to_builtins(answer.ends),
    }


def _in_force(answer: Answer) -> dict[str, object] | None:
    """As what the rule ran when the event came; None where that is unknown, or it did not."""
    if answer.stood is None or not answer.stood.runs:
        return None
    return {"version": answer.stood.rule.version, "status": answer.stood.status}


def as_lines(
    rule: RuleDefinition, customer: str, answer: Answer, since: int | None, zone: tzinfo
) -> Iterator[Text]:
    title = in_language({"en": rule.title.en, "zh": rule.title.zh})
    yield Text.assemble((f"{rule.id}@{rule.version}", "bold"), f"  {title}  ", (customer, "bold"))
    if answer.event:
        yield plain(answer.event)
    for remark in answer.remarks:
        yield Text(remark, "yellow")
    for one in answer.answers:
        happened = _happened(one.when, answer.as_taken)
        by = "" if one.version == rule.version else f" by {rule.id}@{one.version}"
        has_ended = any(end.at == one.at for end in answer.ends)
        yield from _answer_lines(one, happened + by, zone, has_ended=has_ended)
        if one.at < answer.whole_from:
            yield Text(f"  {_COLD_ARCHIVE.format(_when(answer.whole_from, zone))}", "yellow")
        warm_from = _since(one, since)
        if warm_from is not None and one.at < warm_from:
            yield Text(f"  {_COLD.format(_when(warm_from, zone))}", "yellow")


def _since(one: Why, since: int | None) -> int | None:
    """From when on the rule was warm as it looked; `since`: as things are now."""
    return since if one.warm_from is None else one.warm_from


def _happened(when: str, as_taken: bool) -> str:
    """Without the journal nobody knows what had come by then."""
    return _BY_TIME if when == "event" and not as_taken else _WHEN[when]


def _answer_lines(one: Why, when: str, zone: tzinfo, *, has_ended: bool) -> Iterator[Text]:
    at = f"{from_millis(one.at).astimezone(zone):%Y-%m-%d %H:%M:%S}"
    yield Text(f"{when}, {at}: {_verdict(one, zone, has_ended=has_ended)}", "bold")
    if one.late:
        yield Text("  the event came too late: windows are unknown to it", "yellow")
    if one.missing:
        yield _marked(_MARKS[False], one.missing, 1)
    for clause in one.clauses:
        yield from _clause_lines(clause, 1)
    for name, value in one.lets.items():
        yield Text(f"      {name} = {value}", "dim")
    for gate in one.gates:
        yield _marked(_MARKS[gate.open], f"{gate.name}: {gate.told}", 1)
    for wait in one.waits:
        done = "fired" if wait.fired else "waits until"
        yield Text(f"  {done} {time_at(wait.due, zone)}{f' ({wait.about})' if wait.about else ''}")


def _is_warm(at: int, whole_from: int, since: int | None) -> bool | None:
    if at < whole_from:
        return False
    return None if since is None else at >= since


def _when(since: int, zone: tzinfo) -> str:
    if since >= _NEVER:
        return "so far"
    return f"before {minute_at(since, zone)}"


def _verdict(one: Why, zone: tzinfo, *, has_ended: bool) -> str:
    if one.when == "wait":
        return "it begins to wait" if one.waits else "it has nothing to wait for"
    if one.due is not None and has_ended:
        return f"it began to wait, until {time_at(one.due, zone)}"
    if one.due is not None:
        return f"it waits until {time_at(one.due, zone)}; if that were now, {_outcome(one)}"
    if one.when == "now" and one.waits and all(wait.fired for wait in one.waits):
        ended = time_at(max(wait.due for wait in one.waits), zone)
        return f"its wait ended {ended}; if that were now, {_outcome(one)}"
    if one.when == "now" and one.is_open:
        if closed := ", ".join(gate.name for gate in one.closed):
            return f"it does not fire, whatever event comes now: {closed}"
        return "it depends on the event that comes"
    return _outcome(one)


def _outcome(one: Why) -> str:
    if one.failed:
        return f"it failed, and what it would do is lost: {one.failed}"
    if one.acts:
        part = ", but for its greeting" if any(not gate.open for gate in one.gates) else ""
        return f"it fires{part}"
    if one.fires and any(gate.idle for gate in one.gates):
        return "it would fire, but for its status"
    if one.fires:
        return "it fires, and what it would do is recorded instead"
    if one.answered:
        return "it does not fire: an answer had come before it"
    if one.taken_back:
        return "it does not fire: the event was taken back before it came"
    closed = ", ".join(gate.name for gate in one.gates if not gate.open)
    if one.holds is not True:
        return "it does not fire: its condition is not true"
    return f"it does not fire: {closed or _PAUSES}"


def _clause_lines(clause: Clause, depth: int, marks: _Marks = _MARKS) -> Iterator[Text]:
    marks = _NOTHING_AMISS if clause.takes_points else marks
    seen = ", ".join(f"{name} = {value}" for name, value in clause.seen.items())
    if clause.counts_event:
        with_it = f"with the event that comes: {clause.off}" if clause.off else _COUNTED
        said = f"{seen}, {with_it}"
    elif clause.of_event and clause.holds is None:
        said = "the event says"
    elif clause.off and marks is _MARKS:
        said = f"{seen}: {clause.off}"
    else:
        said = seen
    yield _marked(marks[clause.holds], clause.text, depth, said)
    for part in clause.parts:
        yield from _clause_lines(part, depth + 1, marks)


def _marked(marked: tuple[str, str], text: str, depth: int, said: str = "") -> Text:
    mark, style = marked
    line = Text("  " * depth).append(mark, style).append(" ").append_text(plain(text, 2_000))
    return line.append_text(Text("    ")).append_text(plain(said, 2_000)) if said else line
