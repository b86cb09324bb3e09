"""`vipcare rules why` over an archive, through the command line itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from agents.cli.main import run
from tests.backtest.test_command import RULE, transfer
from tests.lane.rules import HUGE, SMALL, fragile, views

QUIET = """\
cooldown: 30d
wait: {for: 2d, without: logged.in}
"""


@pytest.fixture
def folder(no_kafka: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules").mkdir()
    rule = RULE.format(id="big", status="live", least=400) + "cooldown: 3d\n"
    (tmp_path / "rules" / "big.yaml").write_text(rule)
    (tmp_path / "quiet.yaml").write_text(RULE.format(id="quiet", status="draft", least=400) + QUIET)
    events = [transfer(number, number, 100 * number) for number in range(1, 11)]
    (tmp_path / "events.jsonl").write_text("\n".join(events))
    monkeypatch.setenv("VIPCARE_WORKER__RULES", str(tmp_path / "rules"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(capsys: pytest.CaptureFixture[str], rule: str, event: str) -> dict[str, Any]:
    arguments = [rule, "C1", "--event", event, "--events", "events.jsonl", "--json"]
    assert run(["rules", "why", *arguments]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_by_how_much_it_failed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (answer,) = asked(capsys, "big", "3")["answers"]
    assert answer["fires"] is False
    (clause,) = answer["clauses"]
    assert clause["text"] == "base_amount > 400"
    assert clause["seen"] == {"base_amount": "300"}
    assert clause["off"] == "100 short"


def test_an_event_that_was_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = transfer(11, 11, 100).replace('"amount": "100"', '"amount": "much"')
    with (folder / "events.jsonl").open("a") as file:
        file.write("\n" + broken)
    arguments = ["big", "C1", "--event", "11", "--events", "events.jsonl"]
    assert run(["rules", "why", *arguments]) == 2
    told = capsys.readouterr().err
    assert "event 11 of customer C1 is a dead letter (broken: " in told
    assert "amount" in told


def test_an_event_that_was_dated_ahead(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ahead = {"topic": "bank.core", "key": "C1", "time": "2026-01-11T00:00:00Z"}
    ahead["value"] = transfer(12, 25, 1)
    (folder / "events.jsonl").write_text(json.dumps(ahead))
    arguments = ["big", "C1", "--event", "12", "--events", "events.jsonl"]
    assert run(["rules", "why", *arguments]) == 2
    told = capsys.readouterr().err
    assert "event 12 of customer C1 is a dead letter (future: its time was ahead" in told


SCORE = """\
score:
  name: large
  threshold: 50
  release: 20
  signals:
    - {points: 60, if: base_amount > 200, reason: {en: much, zh: 多}}
    - {points: -50, if: 'count(rm.contacted, 7d) >= 1', reason: {en: called, zh: 已联系}}
"""


def test_what_would_take_points_is_not_missing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = RULE.format(id="scored", status="draft", least=0)
    (folder / "scored.yaml").write_text(rule + SCORE)
    (answer,) = asked(capsys, "scored.yaml", "3")["answers"]
    assert answer["fires"]
    arguments = ["scored.yaml", "C1", "--event", "3", "--events", "events.jsonl"]
    assert run(["rules", "why", *arguments]) == 0
    lines = [one.strip() for one in capsys.readouterr().out.splitlines()]
    assert "✓ +60 base_amount > 200    base_amount = 300" in lines
    assert "– -50 count(rm.contacted, 7d) >= 1    count(rm.contacted, 7d) = 0" in lines


def test_a_score_in_silence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Looked at each week, it waits for nothing; told is what came of it."""
    rule = RULE.format(id="quiet", status="live", least=0).replace("base_amount > 0", "'true'")
    score = SCORE.replace("base_amount > 200", "'count(transfer.completed, 3d) < 1'")
    (folder / "quiet.yaml").write_text(rule.replace("{base_amount}", "{score}") + score)
    add(folder, "in", "logged.in", "2026-01-25T03:00:00Z", channel="app")
    told = asked(capsys, "quiet.yaml", "1")
    assert ([one["when"] for one in told["answers"]], told["remarks"]) == (["event"], [])
    told = asked(capsys, "quiet.yaml", "10")
    came, silent = told["answers"]
    assert (came["fires"], told["remarks"]) == (False, [])
    assert (silent["when"], silent["at"], silent["acts"]) == (
        "silence",
        "2026-01-17T02:00:00+00:00",
        True,
    )
    arguments = ["quiet.yaml", "C1", "--event", "10", "--events", "events.jsonl"]
    assert run(["rules", "why", *arguments]) == 0
    assert "as nothing was heard after it, 2026-01-17 10:00:00: it fires" in capsys.readouterr().out


def test_a_cooldown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (first,) = asked(capsys, "big", "5")["answers"]
    (second,) = asked(capsys, "big", "6")["answers"]
    (again,) = asked(capsys, "big", "8")["answers"]
    assert [one["acts"] for one in (first, second, again)] == [True, False, True]
    (cooldown,) = [one for one in second["gates"] if one["name"] == "cooldown"]
    assert cooldown["told"] == "3d, and it fired 2026-01-05 10:00: again from 2026-01-08 10:00"


def test_an_answer_that_did_not_come(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began, ended = asked(capsys, "quiet.yaml", "6")["answers"]
    assert (began["when"], began["holds"]) == ("event", True)
    assert [one["due"] for one in began["waits"]]
    assert (ended["when"], ended["lets"]) == ("answer", {"base_amount": "600"})
    assert not ended["acts"]
    arguments = ["quiet.yaml", "C1", "--event", "6", "--events", "events.jsonl"]
    assert run(["rules", "why", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "(without logged.in)" in shown
    told = "it waits until 2026-01-08 10:00; if that were now, it would fire, but for its status"
    assert told in shown
    assert "status: it is a draft: it does nothing" in shown


def test_each_wait_has_its_own_end(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two began at one time: that which fires first is a cooldown to the other."""
    other = transfer(11, 6, 1_100)
    with (folder / "events.jsonl").open("a") as file:
        file.write("\n" + other)
    (folder / "rules" / "quiet.yaml").write_text(
        RULE.format(id="quiet", status="live", least=550) + QUIET
    )
    acts = []
    for event, amount in (("6", "600"), ("11", "1100")):
        _, ended = asked(capsys, "quiet", event)["answers"]
        assert (ended["when"], ended["lets"]) == ("answer", {"base_amount": amount})
        acts.append(ended["acts"])
    assert sorted(acts) == [False, True]


def test_only_its_own_timers_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two rules wait for the same date of the same deposit."""
    for name, days in (("week", 7), ("day", 1)):
        rule = RULE.format(id=name, status="live", least=0).replace("base_amount", "principal")
        rule = rule.replace("transfer.completed", "deposit.placed")
        waits = f"wait: {{days: {days}, before: matures_on, at: '09:00'}}\n"
        (folder / "rules" / f"{name}.yaml").write_text(rule + waits)
    data = {"deposit": "D1", "account": "A1", "principal": "5", "currency": "CNY", "rate": "0.02"}
    deposit = json.loads(transfer(11, 1, 1)) | {"type": "deposit.placed"}
    deposit["data"] = data | {"matures_on": "2026-01-09"}
    with (folder / "events.jsonl").open("a") as file:
        file.write("\n" + json.dumps(deposit))
    for name, day in (("week", "02"), ("day", "08")):
        placed, ended = asked(capsys, name, "11")["answers"]
        assert (placed["when"], ended["when"]) == ("wait", "timer")
        assert ended["at"] == f"2026-01-{day}T01:00:00+00:00"


@pytest.mark.parametrize("status", ["live", "shadow"])
def test_a_rule_that_raised_did_not_fire(
    folder: Path, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    """What it would have sent was too large."""
    (folder / "rules" / "fragile.yaml").write_text(json.dumps(fragile() | {"status": status}))
    events = [*views("a", 1, HUGE), *views("b", 1, SMALL)]
    (folder / "events.jsonl").write_text("\n".join(map(json.dumps, events)))
    arguments = ["rules", "why", "fragile", "C0", "--events", "events.jsonl", "--event"]
    assert run([*arguments, "a-0"]) == 0
    told = capsys.readouterr().out
    assert "it failed, and what it would do is lost: OversizeError" in told
    assert run([*arguments, "a-0", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["answers"]
    assert (answer["fires"], answer["acts"]) == (False, False)


def announce(folder: Path, number: int, day: str, place: str, **said: Any) -> None:
    """Of the campaign golf, with a rule that listens to it."""
    rule = (folder / "rules" / "big.yaml").read_text()
    rule = rule.replace("big", "told").replace("transfer.completed", "campaign.announced")
    rule = rule.replace("base_amount > 400", "place == 'Sanya' and profile.accounts >= 1")
    (folder / "told.yaml").write_text(rule.replace("base_amount", "place"))
    data = {"campaign": "golf", "category": "golf", "title_zh": "高", "title_en": "Golf"}
    data |= {"place": place, "starts_on": "2026-04-01", "ends_on": "2026-04-02"}
    campaign = {
        "specversion": "1.0",
        "id": f"c{number}",
        "source": "/marketing",
        "type": "campaign.announced",
        "subject": "campaign:golf",
        "time": f"2026-{day}T12:00:00Z",
        "data": data,
    }
    with (folder / "events.jsonl").open("a") as file:
        file.write("\n" + json.dumps(campaign | said))


@pytest.mark.parametrize("day", ["01-05", "03-05"])
def test_a_campaign(folder: Path, capsys: pytest.CaptureFixture[str], day: str) -> None:
    """It may be the last that was heard of at all."""
    announce(folder, 1, day, "Sanya")
    told = asked(capsys, "told.yaml", "c1")
    (answer,), (remark,) = told["answers"], told["remarks"]
    assert "a worker may have known a little more" in remark
    assert (answer["when"], answer["at"]) == ("told", f"2026-{day}T12:00:00+00:00")
    assert answer["clauses"][1]["off"] == "1 short"


@pytest.mark.parametrize("event", ["c1", "c2"])
def test_a_campaign_that_was_corrected(
    folder: Path, capsys: pytest.CaptureFixture[str], event: str
) -> None:
    """The customer heard of it before that."""
    announce(folder, 1, "01-05", "Sanya")
    announce(folder, 2, "01-07", "Beijing")
    told = asked(capsys, "told.yaml", event)
    (answer,) = told["answers"]
    assert (answer["at"], answer["clauses"][0]["holds"]) == ("2026-01-05T12:00:00+00:00", True)
    assert "it was corrected since" in told["remarks"][0]


def test_a_campaign_before_anything_of_the_customer_is_heard(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    announce(folder, 1, "01-05", "Sanya")
    arguments = ["told.yaml", "C2", "--event", "c1", "--events", "events.jsonl"]
    assert run(["rules", "why", *arguments]) == 0
    assert "the archive has no event of the customer" in capsys.readouterr().out


def test_an_id_that_two_sources_have_is_named_with_its_source(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = json.loads(transfer(3, 3, 900)) | {"source": "/other"}
    with (folder / "events.jsonl").open("a") as file:
        file.write("\n" + json.dumps(other))
    arguments = ["big", "C1", "--event", "3", "--events", "events.jsonl"]
    assert run(["rules", "why", *arguments]) == 2
    told = "several events have the id 3: name one of /bank/core/3, /other/3"
    assert told in capsys.readouterr().err
    for event, amount in (("/other/3", "900"), ("/bank/core/3", "300")):
        (answer,) = asked(capsys, "big", event)["answers"]
        assert answer["clauses"][0]["seen"] == {"base_amount": amount}


def test_an_archive_that_begins_too_late(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first event is of 2026-01-01 10:00."""
    for length, is_warm in (("5d", True), ("1830d", False)):
        rule = RULE.format(id="many", status="draft", least=0)
        condition = f"count(transfer.completed, {length}) > 1"
        (folder / "many.yaml").write_text(rule.replace("base_amount > 0", condition))
        (answer,) = asked(capsys, "many.yaml", "7")["answers"]
        assert answer["warm"] is is_warm
        arguments = ["many.yaml", "C1", "--event", "7", "--events", "events.jsonl"]
        assert run(["rules", "why", *arguments]) == 0
        said = "it is not warm before 2031-01-05 10:00: it looks further back than the archive goes"
        assert (said in capsys.readouterr().out) is not is_warm


def test_the_picture(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["big", "C1", "--event", "3", "--events", "events.jsonl"]
    assert run(["rules", "why", *arguments]) == 0
    told = capsys.readouterr().out
    assert "✗ base_amount > 400    base_amount = 300: 100 short" in told
    assert "it does not fire: its condition is not true" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["big", "C1", "--event", "99", "--events", "events.jsonl"], "there is no event 99 of"),
        (["big", "C1", "--events", "events.jsonl"], "name it with --event ID"),
        (["rules", "C2", "--event", "1", "--events", "events.jsonl"], "no event 1 of customer C2"),
    ],
)
def test_what_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(["rules", "why", *arguments]) == 2
    assert said in capsys.readouterr().err


GREETING = "then:\n  greeting: {occasion: birthday, channels: [wechat, sms], purpose: service}\n"


@pytest.mark.parametrize(
    ("refused", "beside", "fires", "said"),
    [
        (
            ["wechat", "sms"],
            "",
            "it fires, and what it would do is recorded instead",
            "recorded as",
        ),
        (["wechat", "sms"], "  tag: loyal\n", "it fires, but for its greeting", "is done)"),
        (["sms"], "", "it fires\n", "service on wechat, sms: refused on sms"),
        ([], "", "it fires\n", "service on wechat, sms: not refused"),
    ],
)
def test_consents(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    refused: list[str],
    beside: str,
    fires: str,
    said: str,
) -> None:
    """As the effects have it."""
    rule = RULE.format(id="greet", status="live", least=400).partition("then:")[0]
    (folder / "greet.yaml").write_text(rule + GREETING + beside)
    consents = {"Service": dict.fromkeys(refused, False)}
    told = json.loads(transfer(0, 1, 1)) | {"type": "customer.updated"}
    told["data"] = {"consents": consents}
    with (folder / "events.jsonl").open("a") as file:
        file.write("\n" + json.dumps(told))
    archive = ["--events", "events.jsonl"]
    assert run(["rules", "why", "greet.yaml", "C1", "--event", "5", *archive]) == 0
    shown = capsys.readouterr().out
    assert fires in shown
    assert said in shown
    assert run(["rules", "backtest", "greet.yaml", *archive, "--out", "out.jsonl"]) == 0
    effects = map(json.loads, (folder / "out.jsonl").read_text().splitlines())
    made = [one["data"] for one in effects if one["data"]["cause"]["id"] == "5"]
    is_refused = len(refused) == 2
    assert ("refused" in [one.get("outcome") for one in made]) is is_refused
    assert any(one.get("channels") for one in made) is not is_refused


def reversal(number: int, of: int, day: int) -> str:
    event = json.loads(transfer(of, day, 100 * of)) | {"id": f"r{number}"}
    return json.dumps(event | {"type": "transfer.reversed"})


BY_9 = "what the rule did at 9 of 2026-01-09 10:00 was retracted by it"
BY_10 = "what the rule did at 10 of 2026-01-10 10:00 was amended by it: n = 9"
BY_R1 = "by transfer.reversed r1 of 2026-01-11 10:00"
STANDS = "; the rule is not amendable: what it did stands, and its windows no longer count that"


@pytest.mark.parametrize(
    ("event", "amendable", "fires", "said"),
    [
        ("9", True, True, [f"what the rule did at it was retracted {BY_R1}"]),
        ("10", True, True, [f"what the rule did at it was amended {BY_R1}: n = 9"]),
        ("3", True, False, ["transfer.reversed r1 of 2026-01-11 10:00 takes it back"]),
        ("r1", True, None, ["it takes back transfer.completed 3 of 2026-01-03 10:00", BY_9, BY_10]),
        ("9", False, True, []),
        ("3", False, False, [f"transfer.reversed r1 of 2026-01-11 10:00 takes it back{STANDS}"]),
        ("r1", False, None, [f"it takes back transfer.completed 3 of 2026-01-03 10:00{STANDS}"]),
    ],
)
def test_what_is_reversed(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    event: str,
    amendable: bool,
    fires: bool | None,
    said: list[str],
) -> None:
    rule = RULE.format(id="often", status="live", least=400).replace("base_amount}", "n}")
    rule = rule.replace(
        "if: base_amount > 400", "let: {n: 'count(transfer.completed, 30d)'}\nif: n >= 9"
    )
    (folder / "often.yaml").write_text(rule + f"amendable: {str(amendable).lower()}\n")
    with (folder / "events.jsonl").open("a") as file:
        file.write("\n" + reversal(1, 3, 11))
    told = asked(capsys, "often.yaml", event)
    if fires is None:
        assert not told["answers"]
        listens = "it listens to transfer.completed, not to transfer.reversed"
        assert told["remarks"] == [listens, *said]
        return
    (answer,) = told["answers"]
    assert (answer["fires"], told["remarks"]) == (fires, said)


def test_a_pause_of_a_rule_that_can_be_amended(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes by stretches of time, not by when the rule fired last: 3 days from 1970-01-01 on."""
    rule = RULE.format(id="often", status="live", least=400) + "cooldown: 3d\namendable: true\n"
    (folder / "often.yaml").write_text(rule)
    acts = {event: asked(capsys, "often.yaml", event)["answers"][0]["acts"] for event in "56789"}
    assert acts == {"5": True, "6": False, "7": True, "8": False, "9": False}
    arguments = ["often.yaml", "C1", "--event", "8", "--events", "events.jsonl"]
    assert run(["rules", "why", *arguments]) == 0
    told = capsys.readouterr().out
    assert "it does not fire: another event fires it in this stretch of its cooldown\n" in told
    assert "at its time, as if everything had come in the order of times, 2026-01-08" in told


def add(folder: Path, name: str, kind: str, time: str, **data: Any) -> None:
    """An event of C1."""
    said = json.loads(transfer(0, 1, 1)) | {"id": name, "type": kind, "data": data}
    with (folder / "events.jsonl").open("a") as file:
        file.write("\n" + json.dumps(said | {"time": time}))


def test_what_answered_a_wait(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Told at both events; and with the time at which the wait ended nothing is answered."""
    add(folder, "in", "logged.in", "2026-01-07T03:00:05Z", channel="app")
    told = asked(capsys, "quiet.yaml", "6")
    by = "its wait until 2026-01-08 10:00 was answered by logged.in in of 2026-01-07 11:00:05"
    assert told["remarks"] == [by]
    ((one,), (end,)) = told["answers"], told["ends"]
    assert (one["when"], end["change"], end["by"][1], end["of"][1]) == (
        "event",
        "answered",
        "in",
        "6",
    )
    arguments = ["quiet.yaml", "C1", "--events", "events.jsonl", "--event"]
    assert run(["rules", "why", *arguments, "6"]) == 0
    shown = capsys.readouterr().out
    assert "it began to wait, until 2026-01-08 10:00\n" in shown
    told = asked(capsys, "quiet.yaml", "in")
    listens, *ends = told["remarks"]
    assert listens == "it listens to transfer.completed, not to logged.in"
    assert ends == [
        f"it answered the wait of transfer.completed {day} of 2026-01-0{day} 10:00, "
        f"until 2026-01-0{day + 2} 10:00"
        for day in (6, 7)
    ]


DEPOSIT = {"deposit": "D1", "currency": "CNY"}


@pytest.mark.parametrize(
    ("kind", "data", "own", "other"),
    [
        (
            "deposit.redeemed",
            {"amount": "5"},
            "its wait until 2026-01-09 09:00 ended with",
            "it ended the wait of deposit.placed d of 2026-01-01 11:00, until 2026-01-09 09:00",
        ),
        (
            "deposit.renewed",
            {"account": "A1", "principal": "5", "rate": "0.02", "matures_on": "2026-02-10"},
            "its wait until 2026-01-09 09:00 was moved to 2026-02-09 09:00 by",
            "it moved the wait of deposit.placed d of 2026-01-01 11:00 from 2026-01-09 09:00 to "
            "2026-02-09 09:00",
        ),
    ],
)
def test_what_ended_or_moved_the_date_that_is_waited_for(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    data: dict[str, str],
    own: str,
    other: str,
) -> None:
    rule = RULE.format(id="due", status="live", least=0).replace("base_amount", "principal")
    rule = rule.replace("transfer.completed", "deposit.placed")
    (folder / "due.yaml").write_text(rule + "wait: {days: 1, before: matures_on, at: '09:00'}\n")
    placed = {"account": "A1", "principal": "5", "rate": "0.02", "matures_on": "2026-01-10"}
    add(folder, "d", "deposit.placed", "2026-01-01T03:00:00Z", **DEPOSIT, **placed)
    add(folder, "e", kind, "2026-01-05T03:00:00Z", **DEPOSIT, **data)
    by = f"{own} {kind} e of 2026-01-05 11:00"
    assert asked(capsys, "due.yaml", "d")["remarks"] == [by]
    told = asked(capsys, "due.yaml", "e")["remarks"]
    assert told == [f"it listens to deposit.placed, not to {kind}", other]
