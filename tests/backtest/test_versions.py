"""Versions of the register are asked about as RULE@VERSION, those that are retired, too."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.lane.rules import rule, write
from tests.ops.test_rules_register import Said, said, settings_at

__all__ = ["said"]
pytestmark = pytest.mark.broker


def transfer(name: str) -> str:
    """Now."""
    data = {"transfer": name, "account": "A1", "direction": "out", "amount": "10"}
    event = {"specversion": "1.0", "id": name, "source": "test", "type": "transfer.completed"}
    event |= {"subject": "C1", "time": datetime.now(UTC).isoformat()}
    return json.dumps(event | {"data": data | {"currency": "CNY"}}) + "\n"


def test_versions(
    fresh_broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    events = tmp_path / "events.jsonl"
    archive = ("--events", str(events))
    before = transfer("before")
    said("seed", "--as", "carl")
    first = transfer("first")
    never = {"if": "amount > 1_000_000"}
    new = str(write(tmp_path / "new", rule("a", 2, **never), rule("c", status="shadow")))
    said("publish", new, "--as", "ann")
    said("approve", "a", "c", "--as", "bob")
    second = transfer("second")
    said("approve", "a@2", "--status", "retired", "--as", "bob")
    events.write_text(before + first + second + transfer("last"))

    def why(name: str, event: str) -> tuple[bool, list[str]]:
        told: Any = json.loads(said("why", name, "C1", "--event", event, *archive, "--json"))
        (answer,) = told["answers"]
        return answer["clauses"][0]["holds"], told["remarks"]

    told = "told is what a@1 would have done"
    assert why("a@1", "first") == (True, [])
    assert why("a@1", "second") == (
        True,
        [f"a@2 was in force when the event came, as live; {told}"],
    )
    holds, (remark,) = why("a@1", "before")
    assert remark.startswith("the register begins")
    holds, remarks = why("a", "second")
    assert (holds, remarks) == (False, ["it was live when the event came"])
    assert why("a@2", "last") == (False, [])
    _, (remark,) = why("c", "first")
    assert remark.startswith("no version of c was in force when the event came: the first came")
    shown = said("why", "a@1", "C1", "--event", "first", *archive)
    assert "status: this version is not in force now" in shown

    assert "a@1  live, not in force" in said("explain", "a@1")
    assert "a@2  retired\n" in said("explain", "a@2")
    tried = json.loads(said("backtest", "a@1", *archive, "--json"))
    assert {name: one["fired"] for name, one in tried["rules"].items()} == {"a": 4}
    refused = "there is no version 7 of a rule a in the register"
    for command in (["why", "a@7", "C1"], ["explain", "a@7"], ["backtest", "a@7", *archive]):
        assert refused in said(*command, status=2)
