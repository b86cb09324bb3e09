"""A customer with very many messages: the same comes out, and memory is in proportion to them."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings

from agents.backtest import job
from agents.backtest.archived import Archived, read_files
from agents.backtest.job import Job, Player, Question
from agents.backtest.spill import Share
from agents.core import core_settings
from config.load import load_settings
from schemas.rules import RuleDefinition
from streams.backtest.late import Late
from streams.backtest.play import in_order
from streams.backtest.tally import Span
from streams.intake import Entry
from tests.backtest.test_command import transfer
from tests.backtest.test_play import asked, backtest, bank, shipped, telling
from tests.backtest.test_random import random_entries
from tests.rules.test_compiled import RANDOMS

__all__ = ["bank"]


@settings(max_examples=100, deadline=None)
@given(RANDOMS)
def test_late_entries_are_those_in_order(random: Random) -> None:
    entries = random_entries(random)
    random.shuffle(entries)
    late: Late[Entry] = Late(entries, lambda one: one)
    plain = in_order(entries)
    assert [*late] == plain
    assert len(late) == len(plain)
    assert [late[number] for number in range(len(plain))] == late[:] == plain
    types = {"transfer.completed", "page.viewed"}
    assert [*late.of(types)] == [one for one in plain if one.input and one.input.type in types]


def test_the_same_comes_out(bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [*shipped(), telling("count(page.viewed, 30d) > 3")]
    other = telling("count(page.viewed, 30d) > 2").model_copy(update={"version": 2})
    question = asked(rules, [other])
    plain, effects = backtest(bank, question, tmp_path / "plain")
    monkeypatch.setattr(job, "MANY", 0)
    late, same = backtest(bank, question, tmp_path / "late")
    assert same == effects
    assert late.tally == plain.tally


def test_an_event_that_is_lost_leaves_no_effects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer is played again, and what was written of it the first time is taken back."""
    from streams.backtest import play  # noqa: PLC0415  # the module, not its function

    whole: Callable[..., Any] = play.step_new

    def fails(record: Any, event: Any, context: Any) -> Any:
        if event.event.id == "7":
            raise ValueError("lost")
        return whole(record, event, context)

    monkeypatch.setattr(play, "step_new", fails)
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(transfer(number, number, 900) for number in range(1, 11)))
    result, effects = backtest(path, asked([always()]), tmp_path / "out")
    assert result.tally.counts["dead:failed"] == 1
    causes = [json.loads(one)["data"]["cause"]["id"] for one in effects]
    assert causes == [str(number) for number in range(1, 11) if number != 7]
    assert result.tally.rules["tells"].became == {"fired": 9}


def always() -> RuleDefinition:
    return telling("base_amount > 1").model_copy(update={"on": ["transfer.completed"]})


def test_memory_of_an_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the message itself: with all decoded and all effects kept it was 3 kB and more."""
    count = 3_000
    path = tmp_path / "events.jsonl"
    path.write_text(
        "\n".join(transfer(number, 1 + number * 28 // count, 900) for number in range(count))
    )
    monkeypatch.setattr(job, "MANY", 1_000)
    core = core_settings(load_settings())
    span = Span(0, 2**50, core.time_zone)
    messages: list[Archived] = [*read_files([path])]
    share = Share(tmp_path / "0.events", count, {b"C1": messages})
    player = Player(Job(Question([always()], [], core, span), [], 0, write=True))
    tracemalloc.start()
    try:
        tally = player.play(share)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert tally.rules["tells"].became == {"fired": count}
    assert peak / count < 1_000
