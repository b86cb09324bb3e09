"""Versions of the register are asked about as RULE@VERSION, those that are retired, too."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.lane.rules import rule, write
from tests.ops.test_rules_register import Said, said, settings_at

__all__ = ["said"]
pytestmark = pytest.mark.broker


def transfer(name: str, ahead: timedelta = timedelta()) -> str:
    """Now, or so much later."""
    data = {"transfer": name, "account": "A1", "direction": "out", "amount": "10"}
    event = {"specversion": "1.0", "id": name, "source": "test", "type": "transfer.completed"}
    event |= {"subject": "C1", "time": (datetime.now(UTC) + ahead).isoformat()}
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

    told = "told is what a@1 would have done, had it always been in force"
    assert why("a@1", "first") == (True, [])
    assert why("a@1", "second") == (
        True,
        [f"a@2 was in force when the event came, as live; {told}"],
    )
    holds, (remark,) = why("a@1", "before")
    assert remark.startswith("the register begins")
    holds, remarks = why("a", "second")
    assert (holds, remarks) == (False, [])
    shown = said("why", "a", "C1", "--event", "second", *archive)
    assert "status: it was live then; it is retired now" in shown
    holds, (remark,) = why("a@2", "last")
    assert remark.startswith("a@2 was not in force when the event came, but retired; told is what")
    asked = ("why", "a@2", "C1", "--event", "last", *archive, "--json")
    assert json.loads(said(*asked))["in_force"] is None
    _, (remark,) = why("c", "first")
    assert remark.startswith("no version of c was in force when the event came: the first came")
    shown = said("why", "a@1", "C1", "--event", "first", *archive)
    assert "status: it was live then; a@2 has its place now" in shown
    shown = said("why", "a@1", "C1", "--event", "second", *archive)
    assert "status: told as if it were live: when the event came it was not in force" in shown

    assert "a@1  live, not in force" in said("explain", "a@1")
    assert "a@2  retired\n" in said("explain", "a@2")
    tried = json.loads(said("backtest", "a@1", *archive, "--json"))
    assert {name: one["fired"] for name, one in tried["rules"].items()} == {"a": 4}
    refused = "there is no version 7 of a rule a in the register"
    for command in (["why", "a@7", "C1"], ["explain", "a@7"], ["backtest", "a@7", *archive]):
        assert refused in said(*command, status=2)


OFTEN: dict[str, Any] = {"let": {"n": "count(transfer.completed, 90d)"}, "cooldown": "20d"}


def test_each_version_in_its_own_time(
    fresh_broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    """What happened before a rule came into force fired nothing, and a cooldown goes on with the
    next version."""
    settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    events = tmp_path / "events.jsonl"
    said("seed", "--as", "carl")
    told = [transfer("before")]
    for version, status, least in ((1, "shadow", 1), (1, "live", 1), (2, "live", 2)):
        name = f"often@{version}"
        new = rule("often", version, status, **OFTEN, **{"if": f"n >= {least}"})
        if status == "shadow" or version == 2:
            said("publish", str(write(tmp_path / name, new)), "--as", "ann")
        told.append(transfer(f"{name}-{status}-early"))
        said("approve", name, "--status", status, "--as", "bob")
        told.append(transfer(f"{name}-{status}"))
    events.write_text("".join(told))

    def why(name: str, event: str) -> Any:
        archive = ("--events", str(events), "--json")
        (answer,) = json.loads(said("why", name, "C1", "--event", event, *archive))["answers"]
        gates = {one["name"]: one for one in answer["gates"]}
        return answer["fires"], answer["acts"], answer["lets"]["n"], gates["cooldown"]["open"]

    assert why("often@1", "often@1-shadow") == (True, False, "1", True)
    assert why("often@1", "often@1-live") == (False, False, "3", False)
    assert why("often@2", "often@2-live") == (False, False, "5", False)
    assert why("often@1", "before")[:3] == (True, True, "1")
    asked = ("why", "often@2", "C1", "--event", "often@2-live", "--events", str(events), "--json")
    (remark,) = json.loads(said(*asked))["remarks"]
    assert remark.startswith("here its windows begin when it came into force, ")


@pytest.mark.parametrize("following", ["1m", "3m", None])
def test_a_wait_that_is_over_under_another_version(
    fresh_broker: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: Said,
    following: str | None,
) -> None:
    """That decides then, however long it waits itself; a rule that is retired does nothing."""
    settings_at(fresh_broker, tmp_path, monkeypatch, transactions=False)
    events = tmp_path / "events.jsonl"
    said("seed", "--as", "carl")
    for version, status, length in ((1, "shadow", "1m"), (2, "live", following or "1m")):
        new = rule("calls", version, status, wait={"for": length, "without": "logged.in"})
        said("publish", str(write(tmp_path / str(version), new)), "--as", "ann")
        if version == 1:
            said("approve", "calls@1", "--as", "bob")
            said("approve", "calls@1", "--status", "live", "--as", "bob")
            events.write_text(transfer("first"))
    after = ["calls@2"] if following else ["calls@1", "--status", "retired"]
    said("approve", *after, "--as", "bob")
    with events.open("a") as file:
        file.write(transfer("last", timedelta(minutes=2)))
    asked = ("why", "calls@1", "C1", "--event", "first", "--events", str(events))
    told = json.loads(said(*asked, "--json"))
    found = [(one["when"], one["version"], one["fires"], one["acts"]) for one in told["answers"]]
    began = "event", 1, False, False
    assert told["in_force"] == {"version": 1, "status": "live"}
    if following:
        assert found == [began, ("answer", 2, True, True)]
        assert "as no answer had come by calls@2, " in said(*asked)
    else:
        assert found == [began]
        assert told["remarks"][-1].startswith("when its wait was over the rule was not in force")
