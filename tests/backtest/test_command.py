"""`vipcare rules backtest`, through the command line itself."""

import gzip
import json
from pathlib import Path

import pytest

from agents.cli.main import run

RULE = """\
id: {id}
version: 2
title: {{en: Big, zh: 大额}}
kind: risk
owner: Risk
status: {status}
on: transfer.completed
if: base_amount > {least}
then:
  alert:
    text: {{en: "{{base_amount}}", zh: "{{base_amount}}"}}
"""


def transfer(number: int, day: int, amount: int) -> str:
    data = {"transfer": f"T{number}", "account": "A1", "direction": "out", "amount": str(amount)}
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(number),
            "source": "/bank/core",
            "type": "transfer.completed",
            "subject": "C1",
            "time": f"2026-01-{day:02}T10:00:00+08:00",
            "data": data | {"currency": "CNY"},
        }
    )


@pytest.fixture
def folder(no_kafka: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules").mkdir()
    live = RULE.format(id="big", status="live", least=900)
    (tmp_path / "rules" / "big.yaml").write_text(live)
    (tmp_path / "draft.yaml").write_text(RULE.format(id="big", status="draft", least=400))
    (tmp_path / "new.yaml").write_text(RULE.format(id="new", status="shadow", least=400))
    events = [transfer(number, number, 100 * number) for number in range(1, 11)]
    (tmp_path / "events.jsonl").write_text("\n".join(events))
    monkeypatch.setenv("VIPCARE_WORKER__RULES", str(tmp_path / "rules"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert run(["rules", "backtest", *arguments, "--events", "events.jsonl", "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_what_is_in_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys)
    assert found["rules"]["big"]["fired"] == 1  # type: ignore[index]  # JSON
    assert found["workload"]["–"]["by_day"] == {"2026-01-10": 1}  # type: ignore[index]  # JSON
    assert "live" not in found["rules"]["big"]  # type: ignore[index]  # JSON


def test_a_draft_beside_the_live_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    big = asked(capsys, "draft.yaml")["rules"]["big"]  # type: ignore[index]  # JSON
    assert big["fired"] == 6
    assert (big["live"]["both"], big["live"]["only_here"], big["live"]["only_live"]) == (1, 5, 0)
    assert big["live"]["such_as_here"][0] == "C1 2026-01-05 02:00:00Z"


def test_days_are_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = asked(capsys, "new.yaml", "--from", "2026-01-06", "--to", "2026-01-07")
    assert new["days"] == 2
    assert new["rules"]["new"]["by_day"] == {"2026-01-06": 1, "2026-01-07": 1}  # type: ignore[index]  # JSON


def test_effects_are_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(capsys, "new.yaml", "--out", "effects.jsonl")
    written = folder / "effects.jsonl"
    assert written.stat().st_mode == (folder / "events.jsonl").stat().st_mode
    lines = written.read_text().splitlines()
    assert [json.loads(line)["data"]["values"]["base_amount"] for line in lines] == [
        "500", "600", "700", "800", "900", "1000",
    ]  # fmt: skip
    written.chmod(0o640)
    asked(capsys, "new.yaml", "--out", "effects.jsonl")
    assert written.stat().st_mode & 0o777 == 0o640


def test_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "backtest", "draft.yaml", "--events", "events.jsonl"]) == 0
    told = capsys.readouterr().out
    assert "big@2" in told
    assert "as the live version 2 1 times, only here 5, only live 0" in told


def test_precision_is_of_what_says_something(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An outcome `other` says nothing of the rule."""
    rule = RULE.format(id="asks", status="live", least=400).replace("alert:", "task:")
    (folder / "asks.yaml").write_text(rule)
    asked(capsys, "asks.yaml", "--out", "tasks.jsonl")
    tasks = [json.loads(one) for one in (folder / "tasks.jsonl").read_text().splitlines()]
    told = [
        json.dumps(
            {
                "specversion": "1.0",
                "id": f"told-{number}",
                "source": "/crm",
                "type": "outcome.recorded",
                "subject": "C1",
                "time": "2026-02-01T00:00:00Z",
                "data": {"task": task["data"]["task_id"], "by": "RM1", "outcome": outcome},
            }
        )
        for number, (task, outcome) in enumerate(
            zip(tasks, ("won", "lost", "other", "other"), strict=False)
        )
    ]
    with (folder / "events.jsonl").open("a") as file:
        file.write("\n" + "\n".join(told))
    assert run(["rules", "backtest", "asks.yaml", "--events", "events.jsonl"]) == 0
    assert "50% of 2" in capsys.readouterr().out


def test_what_is_held_out_is_counted_by_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [transfer(number, 10, 1_000) for number in range(200)]
    events = [one.replace('"C1"', f'"C{number}"') for number, one in enumerate(events)]
    (folder / "events.jsonl").write_text("\n".join(events))
    rule = RULE.format(id="half", status="live", least=400).replace("risk", "opportunity")
    (folder / "half.yaml").write_text(f"{rule}holdout: 50\n")
    half = asked(capsys, "half.yaml")["rules"]["half"]  # type: ignore[index]  # JSON
    assert half["fired"] > 50
    assert half["fired"] + half["held_out"] == 200
    assert half["customers"] == half["a_day"] == half["most_a_day"] == half["fired"]
    assert half["by_day"] == {"2026-01-10": half["fired"]}


def test_what_consent_refuses_is_counted_by_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a rule that does something else as well the greeting alone is refused."""
    consents = {"consents": {"marketing": {"wechat": False}}}
    refuses = json.loads(transfer(0, 1, 0)) | {"type": "customer.updated", "data": consents}
    events = [json.dumps(refuses), transfer(1, 2, 1_000), transfer(2, 3, 1_000)]
    events += [transfer(number, 4, 1_000).replace('"C1"', '"C2"') for number in (3, 4, 5)]
    (folder / "events.jsonl").write_text("\n".join(events))
    greeting = "  greeting: {occasion: birthday, channels: [wechat]}\n"
    rule = RULE.format(id="both", status="live", least=400).replace("risk", "care")
    (folder / "both.yaml").write_text(rule + greeting)
    then = rule.index("then:") + len("then:\n")
    (folder / "greets.yaml").write_text(rule[:then].replace("both", "greets") + greeting)
    found = asked(capsys, "both.yaml", "greets.yaml")["rules"]
    both, greets = found["both"], found["greets"]  # type: ignore[index]  # JSON
    assert (both["fired"], both["customers"], both["refused"]) == (5, 2, 2)
    assert both["by_action"] == {"alert": 5, "greeting": 3}
    assert (greets["fired"], greets["customers"], greets["refused"]) == (3, 1, 2)
    assert greets["by_day"] == {"2026-01-04": 3}
    assert greets["top"] == {"C2": 3}
    assert run(["rules", "backtest", "greets.yaml", "--events", "events.jsonl"]) == 0
    heads, row = capsys.readouterr().out.splitlines()[1:3]
    assert row[: heads.index("refused") + len("refused")].split()[-1] == "2"


def test_what_was_retracted_is_counted_beside(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 5 alerts two are taken back, one of which comes again."""
    rule = RULE.format(id="follows", status="live", least=400).replace(
        "if: base_amount > 400", "let: {n: 'count(transfer.completed, 1d)'}\nif: n >= 2"
    )
    (folder / "follows.yaml").write_text(rule.replace("base_amount}", "n}") + "amendable: true\n")
    pairs = [(number, 1 + number // 2) for number in range(10)]
    events = [transfer(number, day, 100 + number) for number, day in pairs]
    for number, of in ((20, 2), (21, 6)):
        data = {"transfer": f"T{of}", "account": "A1", "direction": "out", "currency": "CNY"}
        data |= {"amount": str(100 + of)}
        events.append(
            json.dumps(
                json.loads(transfer(number, 9, 1)) | {"type": "transfer.reversed", "data": data}
            )
        )
    events.append(json.dumps(json.loads(transfer(22, 4, 5)) | {"id": "22"}))
    (folder / "events.jsonl").write_text("\n".join(events))
    found = asked(capsys, "follows.yaml")["rules"]["follows"]  # type: ignore[index]  # JSON
    assert (found["fired"], found["retracted"]) == (6, 2), found
    assert run(["rules", "backtest", "follows.yaml", "--events", "events.jsonl"]) == 0
    heads, row = capsys.readouterr().out.splitlines()[1:3]
    assert row[: heads.index("retracted") + len("retracted")].split()[-1] == "2"


def test_what_is_lost_says_where(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In which line of which file, blank ones counted, the first of each."""
    sound = (folder / "events.jsonl").read_text()
    ahead = {"topic": "bank.core", "key": "C1", "time": "2026-01-11T00:00:00Z"}
    ahead["value"] = transfer(12, 25, 1)
    (folder / "events.jsonl").write_text(f"\n\n{sound}\n\n" + '{"type":"x\n' * 4)
    (folder / "more.jsonl").write_text(f'{transfer(11, 11, 1)}\n\n{{"a":\n{json.dumps(ahead)}')
    lost = asked(capsys, "--events", "more.jsonl")["lost"]
    (many, future) = lost  # type: ignore[misc]  # JSON
    assert (many["times"], future["times"], future["reason"]) == (5, 1, "future")
    assert many["first"] == ["more.jsonl:3", "events.jsonl:14", "events.jsonl:15"]
    assert future["first"] == ["more.jsonl:4"]
    archive = ["--events", "events.jsonl", "--events", "more.jsonl"]
    assert run(["rules", "backtest", *archive]) == 0
    where = "(events.jsonl:14, events.jsonl:15, events.jsonl:16, …)"
    assert f"    5 broken: {many['detail']} {where}" in capsys.readouterr().out


def test_what_is_lost_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = (folder / "events.jsonl").read_text()
    broken = transfer(11, 11, 1).replace('"direction": "out"', '"direction": "up"')
    (folder / "events.jsonl").write_text(f"{sound}\n{transfer(10, 9, 7)}\n{broken}")
    found = asked(capsys)
    assert found["dead_letters"] == {"broken": 1, "conflict": 1}
    (one, other) = found["lost"]  # type: ignore[misc]  # JSON
    assert (one["reason"], other["reason"]) == ("broken", "conflict")
    assert "direction" in one["detail"]
    assert run(["rules", "backtest", "--events", "events.jsonl"]) == 0
    lines = capsys.readouterr().out.splitlines()
    place = lines.index("dead letters: 1 broken, 1 conflict")
    # An event may stand in any line, so it is known by its name and content alone.
    assert lines[place + 1].startswith(f"    1 broken: {one['detail']} (events.jsonl:")
    assert lines[place + 2].startswith(f"    1 conflict: {other['detail']} (events.jsonl:")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bigg", "--events", "events.jsonl"], "no rule bigg in force; did you mean big?"),
        (["big@", "--events", "events.jsonl"], "big@: write RULE or RULE@VERSION, as in big@2"),
        (["--events", "events.jsonl", "--events", "rules/../events.jsonl"], "is named twice"),
        (["no.yaml", "--events", "events.jsonl"], "no.yaml:1:1: cannot be read: no such file"),
        (["big", "big", "--events", "events.jsonl"], "rule big is named twice"),
        (["--events", "events.jsonl", "--from", "monday"], "'monday' is no day"),
        (["--events", "events.jsonl", "--from", "2026-01-09", "--to", "2026-01-08"], "--to comes"),
        (["--events", "empty.jsonl"], "there is no event in the archive"),
        (["--events", "events.jsonl", "--out", "effects.parquet"], "lines of JSON, not Parquet"),
        (["--events", "events.jsonl", "--out", "no/effects.jsonl"], "cannot be written: No such"),
        ([], "name one archive: --events FILE, or --source"),
        (["--events", "events.jsonl", "--source", "kafka"], "name one archive"),
        (["--events", "events.jsonl", "--out", "/dev/full"], "No space left on device: what is"),
        (["--events", "a.jsonl"], "a.jsonl:2: Object missing required field `type`. No line of"),
        (["--events", "events.jsonl", "--events", "a.jsonl"], "a.jsonl:2: Object missing"),
        (["--events", "list.json"], "list.json: it is one JSON value, not one event a line"),
        (["--events", "packed.jsonl.gz"], "packed.jsonl.gz is packed by gzip: unpack it first"),
    ],
)
def test_what_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (folder / "empty.jsonl").touch()
    (folder / "a.jsonl").write_text('\n{"a": 1}\n{"b": 2}\n')
    (folder / "list.json").write_text(f"[{transfer(1, 1, 1)},\n{transfer(2, 2, 2)}]")
    (folder / "packed.jsonl.gz").write_bytes(gzip.compress((folder / "events.jsonl").read_bytes()))
    assert run(["rules", "backtest", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lost", "arguments"),
    [
        ("events.jsonl", ["--out", "events.jsonl"]),
        ("events.jsonl", ["--out", "linked.jsonl"]),
        ("draft.yaml", ["draft.yaml", "--out", "draft.yaml"]),
        ("effects.part", ["--events", "effects.part", "--out", "effects"]),
    ],
)
def test_nothing_that_is_read_is_written_over(
    folder: Path, capsys: pytest.CaptureFixture[str], lost: str, arguments: list[str]
) -> None:
    (folder / "linked.jsonl").hardlink_to(folder / "events.jsonl")
    (folder / "effects.part").write_text(transfer(20, 20, 2_000))
    before = (folder / lost).read_text()
    assert run(["rules", "backtest", "--events", "events.jsonl", *arguments]) == 2
    assert f"would take the place of {lost}, which is read" in capsys.readouterr().err
    assert (folder / lost).read_text() == before


@pytest.mark.parametrize("days", [["--from", "2026-01-11"], ["--to", "2025-12-31"]])
def test_days_that_the_archive_does_not_have(
    folder: Path, capsys: pytest.CaptureFixture[str], days: list[str]
) -> None:
    assert run(["rules", "backtest", "--events", "events.jsonl", *days]) == 2
    said = "the archive goes from 2026-01-01 to 2026-01-10: it has nothing of the days"
    assert said in capsys.readouterr().err


def test_days_are_those_of_the_archive(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wide = ["new.yaml", "--from", "2020-01-01", "--to", "2030-12-31"]
    found = asked(capsys, *wide)
    assert found["days"] == 10
    assert found["rules"]["new"]["a_day"] == 0.6  # type: ignore[index]  # JSON
    assert run(["rules", "backtest", *wide, "--events", "events.jsonl"]) == 0
    told = capsys.readouterr().out
    assert "10 messages, 2026-01-01T00:00:00+08:00 to 2026-01-11T00:00:00+08:00" in told
    assert "the archive has nothing from before 2026-01-01 and after 2026-01-10" in told


def test_an_archive_that_does_not_go_back_so_far(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = RULE.format(id="many", status="live", least=400).replace(
        "base_amount > 400", "count(transfer.completed, 7d) >= 3"
    )
    (folder / "many.yaml").write_text(rule)
    asked_for = ["many.yaml", "new.yaml", "--events", "events.jsonl"]
    assert run(["rules", "backtest", *asked_for]) == 0
    remark = "not warm, as the archive does not go back so far: many before 2026-01-08\n"
    assert remark in capsys.readouterr().out
    assert run(["rules", "backtest", *asked_for, "--from", "2026-01-09"]) == 0
    assert "not warm" not in capsys.readouterr().out


def test_customers_events_go_nowhere_else(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(folder / "mistyped"))
    assert run(["rules", "backtest", "--events", "events.jsonl"]) == 2
    assert f"TMPDIR is {folder}/mistyped, where nothing can be written" in capsys.readouterr().err


def test_a_profile_says_what_it_saw_nothing_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = RULE.format(id="other", status="live", least=400).replace(
        "on: transfer.completed\nif: base_amount > 400", "on: page.viewed\nif: page == 'x'"
    )
    (folder / "other.yaml").write_text(other.replace("{base_amount}", "{page}"))
    asked_for = ["rules", "profile", "new.yaml", "other.yaml", "--events", "events.jsonl"]
    assert run(asked_for) == 0
    remark = "not measured, as none of the first 10 messages is one that they look at: other@2\n"
    assert capsys.readouterr().out.endswith(remark)
    assert run([*asked_for, "--most", "10"]) == 0
    assert "look at (--most takes more): other@2" in capsys.readouterr().out
