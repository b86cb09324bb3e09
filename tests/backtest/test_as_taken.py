"""A customer's events played as a worker took them: the worker's chunks are the twin."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.effects import Effect, Profile
from schemas.envelope import from_millis
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.backtest.facts import FactsInTime
from streams.backtest.play import Times, Trial, Turn, play_in_turn
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.durations import DAY_MS
from streams.inputs import Raw
from streams.intake import Entry, read
from tests.lane.rules import rule

CORE = CoreSettings(partitions=1)
HOUR_MS = DAY_MS // 24
ORIGIN = 20_000 * DAY_MS
END = ORIGIN + 40 * DAY_MS
COUNTS: dict[str, Any] = {"let": {"n": "count(logged.in, 30d)"}, "if": "n >= 0"}
COUNTS |= {"then": {"alert": {"text": {"en": "{n}", "zh": "{n}"}}}}
RULES = [
    RuleDefinition.model_validate(one | COUNTS)
    for one in (
        rule("unheard", wait={"for": "9h", "without": "logged.in"}),
        rule("due", on="deposit.placed", wait={"days": 3, "before": "matures_on"}),
        rule("quiet", on="logged.in", wait={"for": "2d", "without": ["logged.in"]}),
    )
]


def entry(chance: Random, number: int) -> Entry:
    at = ORIGIN + chance.randrange(20 * 24) * HOUR_MS
    kind = chance.choice(("transfer.completed", "logged.in", "logged.in", "deposit.placed"))
    data: dict[str, Any] = {"channel": "app"}
    if kind == "transfer.completed":
        data = {"transfer": f"T{number}", "account": "A1", "direction": "out", "amount": "5"}
        data |= {"currency": "CNY"}
    if kind == "deposit.placed":
        due = from_millis(at + chance.randrange(1, 15) * DAY_MS).date().isoformat()
        data = {"deposit": f"D{chance.randrange(3)}", "account": "A1", "principal": "5"}
        data |= {"currency": "CNY", "rate": "0.02", "matures_on": due}
    event = {"specversion": "1.0", "id": str(number), "source": "/bank", "type": kind}
    event |= {"subject": "C1", "time": from_millis(at).isoformat(), "data": data}
    return read(Raw("bank.core", 0, number, b"C1", json.dumps(event).encode()), CORE)


def told(effects: Sequence[Effect]) -> list[tuple[str, Any]]:
    return [(one.id, one.data) for one in effects if not isinstance(one, Profile)]


@given(st.randoms(use_true_random=False))
def test_timers_fire_as_chunks_began(chance: Random) -> None:
    """Wherever the partition's time was: behind the events, or far ahead of what came later."""
    entries = [entry(chance, number) for number in range(chance.randrange(1, 14))]
    cuts = sorted(chance.sample(range(1, 14), chance.randrange(6)))
    chunks = [entries[a:b] for a, b in zip([0, *cuts], [*cuts, len(entries)], strict=True)]
    times = sorted(ORIGIN + chance.randrange(-24, 40 * 24) * HOUR_MS for _ in chunks)
    rules, record = CORE.compiled(RULES), Record("C1")
    live: list[Effect] = []
    for chunk, time in (*zip(chunks, times, strict=True), ([], END)):
        due = ["C1"] if 0 <= record.header.next_due <= time else []
        context = Context(END, rules, CORE, time)
        live += apply_chunk(chunk, lambda _: record, context, due=due).effects
    began: list[int | None] = [
        None if number else time
        for chunk, time in zip(chunks, times, strict=True)
        for number in range(len(chunk))
    ]
    trial = Trial(CORE.compiled(RULES), CORE, FactsInTime([]), END)
    played = play_in_turn("C1", [Turn(entries, trial, Times(began, END))])
    assert told(played.effects) == told(live)
