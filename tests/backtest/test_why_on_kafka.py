"""`vipcare rules why --event` over the topics in Kafka, through the command line itself."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.cli.main import run
from agents.librdkafka import librdkafka_config
from agents.reading import read_topic
from agents.topics import create
from config.settings import Settings
from streams.effects import derive_id
from streams.partitioning import partition_of
from tests.lane.process import Worker, changed, settings_for, variables

pytestmark = pytest.mark.kafka
CARD = "card.settled"

RULE = """\
id: often
version: 1
title: {en: Often, zh: 频繁}
kind: opportunity
owner: tests
status: live
on: [transfer.completed, card.settled]
let:
  n: count([transfer.completed, card.settled], 90d)
if: n >= 2
then:
  task:
    text: {en: "{n}", zh: "{n}"}
"""


@pytest.fixture(params=["kafka"])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """With rules of files, in a folder `rules`."""
    is_kafka = request.param == "kafka"
    found = request.getfixturevalue("fresh_kafka" if is_kafka else "fresh_broker")
    bootstrap = found.bootstrap if is_kafka else found
    settings = settings_for(bootstrap, tmp_path / "data", transactions=is_kafka)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "often.yaml").write_text(RULE)
    follows = RULE.replace("id: often", "id: follows") + "amendable: true\n"
    (tmp_path / "rules" / "follows.yaml").write_text(follows)
    settings = changed(settings, "worker", rules=tmp_path / "rules")
    for name, value in variables(settings).items():
        monkeypatch.setenv(name, value)
    create(settings)
    return settings


def event(name: str, ago: timedelta, kind: str = "transfer.completed", **data: Any) -> Any:
    """Of customer C1, so long ago."""
    given = {"transfer": name, "account": "A1", "direction": "out", "amount": "600"}
    if kind.startswith("card."):
        given = {"card": "K1", "payment": name, "amount": "600", "category": "5812"}
        given |= {"country": "CN", "presence": "present"}
    return {
        "specversion": "1.0",
        "id": name,
        "source": "test",
        "type": kind,
        "subject": "C1",
        "time": (datetime.now(UTC) - ago).isoformat(),
        "data": given | {"currency": "CNY"} | data,
    }


def send(settings: Settings, *events: Any) -> None:
    producer = Producer(librdkafka_config(settings.kafka))
    for one in events:
        key = one["subject"].encode()
        partition = partition_of(key, settings.topics.partitions)
        topic = "bank.card" if one["type"].startswith("card.") else "bank.core"
        producer.produce(topic, json.dumps(one), key, partition)
    assert producer.flush(10) == 0


def sent(settings: Settings, rule: str) -> dict[str, str]:
    """The n of each task that a worker raised at its very event."""
    tasks = [json.loads(one.value or b"") for one in read_topic(settings.kafka, "vip.tasks")]
    found = {}
    for one in (task["data"] for task in tasks):
        cause = one["cause"]["id"]
        own = derive_id("task", rule, "C1", "test", cause, "0")
        if (one["rule"]["id"], one["task_id"], one["change"]) == (rule, own, "raised"):
            found[cause] = one["values"]["n"]
    return found


def remove(settings: Settings, upto: int) -> None:
    """As Kafka does with what is too old."""
    place = TopicPartition("bank.core", partition_of(b"C1", settings.topics.partitions), upto)
    admin = AdminClient(librdkafka_config(settings.kafka))
    (removed,) = admin.delete_records([place]).values()
    assert removed.result().low_watermark == upto


def why(capfd: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capfd.readouterr()
    assert run(["rules", "why", *arguments, "--json"]) == 0
    return json.loads(capfd.readouterr().out)


def test_what_kafka_has_removed(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    send(settings, *(event(f"e{number}", timedelta(days=3 - number)) for number in (1, 2)))
    told = why(capfd, "often", "C1", "--event", "e2")
    (answer,) = told["answers"]
    assert (answer["fires"], answer["warm"], told["remarks"]) == (True, None, [])
    time.sleep(1)
    send(settings, event("e3", timedelta()))
    remove(settings, 2)
    told = why(capfd, "often", "C1", "--event", "e3")
    (answer,) = told["answers"]
    assert (answer["fires"], answer["warm"]) == (False, False)
    assert told["remarks"][0].startswith("Kafka has removed what came before")
    assert "(bank.core)" in told["remarks"][0]
    assert run(["rules", "why", "often", "C1", "--event", "e3"]) == 0
    assert "it looks further back than the archive goes" in capfd.readouterr().out
    assert run(["rules", "why", "often", "C1", "--event", "e2"]) == 2
    assert "there is no event e2" in (error := capfd.readouterr().err)
    assert "Kafka has removed what came before" in error


def test_the_order_in_which_events_came(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    """Late events, of two topics that a worker puts together, and reversals that come first: what
    is told is what the worker did."""
    chance = Random(5)
    days = [chance.randrange(1, 25) for _ in range(12)]
    kinds = [chance.choice(("transfer.completed", "card.settled")) for _ in days]
    kinds[-1] = "transfer.completed"
    events = [
        event(f"e{number}", timedelta(days=day, minutes=number), kind)
        for number, (day, kind) in enumerate(zip(days, kinds, strict=True))
    ]
    before = event("r", timedelta(), "transfer.reversed", transfer="e11")
    with Worker(settings) as worker:
        worker.wait_ready(2)
        send(settings, *events[:6])
        worker.wait_until(lambda: worker.total("vipcare_position") >= 6)
        send(settings, *events[6:11], before, events[11])
        worker.wait_until(lambda: worker.total("vipcare_position") >= 13)
        assert worker.stop() == 0
    for rule in ("often", "follows"):
        live = sent(settings, rule)
        assert len(live) > 4
        found, asked = {}, chance.sample(events, 5)
        for one in asked:
            told = why(capfd, rule, "C1", "--event", one["id"])
            assert told["order"] == "taken"
            (answer,) = told["answers"]
            if answer["acts"]:
                found[one["id"]] = answer["lets"]["n"]
        assert found == {one["id"]: live[one["id"]] for one in asked if one["id"] in live}
    assert "e11" not in live
    assert run(["rules", "why", "follows", "C1", "--event", "e11"]) == 0
    assert "does not fire: the event was taken back before it came" in capfd.readouterr().out


@pytest.mark.parametrize("settings", ["broker"], indirect=True)
def test_where_the_order_is_not_told(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    send(settings, event("e1", timedelta(days=1)))
    assert run(["rules", "why", "often", "C1", "--event", "e1"]) == 0
    assert "as if everything had come in the order of times" in capfd.readouterr().out


INVITES = """\
id: invites
version: 1
title: {en: Invites, zh: 邀请}
kind: opportunity
owner: tests
status: live
on: campaign.announced
let:
  n: place
if: profile.accounts >= 0
then:
  task:
    text: {en: "{n}", zh: "{n}"}
"""


def campaign(name: str, place: str) -> Any:
    """Of an hour ago, as what corrects it is."""
    data = {"campaign": "golf", "category": "golf", "title_zh": "高", "title_en": "Golf"}
    days = {"starts_on": "2090-01-01", "ends_on": "2090-01-02"}
    told = event(name, timedelta(hours=1), "campaign.announced")
    return told | {"subject": "campaign:golf", "data": data | days | {"place": place}}


def announce(settings: Settings, told: Any) -> None:
    producer = Producer(librdkafka_config(settings.kafka))
    producer.produce("bank.campaign", json.dumps(told), told["subject"].encode(), 0)
    assert producer.flush(10) == 0


def test_a_campaign_that_was_corrected(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of a customer who was not heard of since, and was told before that."""
    assert settings.worker.rules is not None
    (settings.worker.rules / "invites.yaml").write_text(INVITES)
    send(settings, event("e1", timedelta(days=1)))
    announce(settings, campaign("golf-1", "Sanya"))
    with Worker(settings) as worker:
        worker.wait_ready(2)
        worker.wait_until(lambda: bool(sent_values(settings, "invites")))
        time.sleep(1)
        announce(settings, campaign("golf-2", "Beijing") | {"time": told_at(settings)})
        time.sleep(2)
        assert worker.stop() == 0
    assert sent_values(settings, "invites") == ["Sanya"]
    for name in ("golf-1", "golf-2"):
        told = why(capfd, "invites", "C1", "--event", name)
        (answer,) = told["answers"]
        assert (answer["when"], answer["acts"], answer["lets"]) == ("told", True, {"n": "Sanya"})
        assert "it was corrected since" in told["remarks"][0]


def sent_values(settings: Settings, rule: str) -> list[str]:
    tasks = [json.loads(one.value or b"") for one in read_topic(settings.kafka, "vip.tasks")]
    return [one["data"]["values"]["n"] for one in tasks if one["data"]["rule"]["id"] == rule]


def told_at(settings: Settings) -> str:
    """The time that the campaign says."""
    (first,) = read_topic(settings.kafka, "bank.campaign")
    time: str = json.loads(first.value or b"")["time"]
    return time


def manage(*arguments: str) -> None:
    assert run(["rules", *arguments]) == 0


def version(folder: Path, name: str, number: int, least: int, more: str = "") -> str:
    """The file of a version of a rule that counts transfers."""
    text = RULE.replace("id: often", f"id: {name}").replace("version: 1", f"version: {number}")
    text = text.replace("[transfer.completed, card.settled], 90d", "transfer.completed, 90d")
    path = folder / f"{name}-{number}.yaml"
    path.write_text(text.replace("n >= 2", f"n >= {least}") + more)
    return str(path)


def test_each_version_in_its_own_time(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What came before a rule counts as little as it did for the worker, until the rule is warmed;
    a cooldown goes on with the next version."""
    monkeypatch.setenv("VIPCARE_RULES__AUTHORS", "ann")
    monkeypatch.setenv("VIPCARE_RULES__PUBLISHERS", "bob")
    numbers, pauses = count(), "cooldown: 20d\n"
    with Worker(settings) as worker:
        worker.wait_ready(2)

        def happens(days: int = 0) -> None:
            before = worker.total("vipcare_position")
            send(settings, event(f"e{next(numbers)}", timedelta(days=days)))
            worker.wait_until(lambda: worker.total("vipcare_position") > before)

        def begins(number: int, least: int) -> None:
            paths = (
                version(tmp_path, "young", number, least),
                version(tmp_path, "rare", number, least, pauses),
            )
            manage("publish", *paths, "--as", "ann")
            for status in ("shadow", "live")[number - 1 :]:
                manage("approve", "young", "rare", "--status", status, "--as", "bob")
            time.sleep(3)

        manage("seed", "--as", "bob")
        happens(days=10)
        happens(days=5)
        begins(1, least=1)
        happens()
        happens()
        manage("warm", "young", "--source", "kafka", "--as", "bob", "--partly")
        time.sleep(3)
        happens()
        begins(2, least=2)
        happens()
        happens()
        assert worker.stop() == 0
    found: dict[str, dict[str, str]] = {"young": {}, "rare": {}}
    for name, acted in found.items():
        for number in range(2, 7):
            asked = f"{name}@{1 + (number > 4)}"
            (answer,) = why(capfd, asked, "C1", "--event", f"e{number}")["answers"]
            assert answer["version"] == 1 + (number > 4)
            assert answer["warm"] is False
            if answer["acts"]:
                acted[f"e{number}"] = answer["lets"]["n"]
        assert acted == sent(settings, name)
    assert found["young"] == {"e2": "1", "e3": "2", "e4": "5", "e5": "6", "e6": "7"}
    assert found["rare"] == {"e2": "1"}


UNPAID = """\
id: unpaid
version: 1
title: {en: Unpaid, zh: 未付}
kind: care
owner: tests
status: live
on: transfer.completed
wait: {for: 30m, without: card.settled}
let:
  n: count(card.settled, 90d)
if: n >= 0
then:
  task:
    text: {en: "{n}", zh: "{n}"}
"""


def test_what_answers_a_wait_that_is_over_answers_nothing(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    """The task is there when a payment comes that is dated before: the worker knew of none."""
    (settings.worker.rules / "unpaid.yaml").write_text(UNPAID)
    begun, late = event("e1", timedelta(minutes=40)), event("e2", timedelta(minutes=35), CARD)
    again, answer = event("e3", timedelta(minutes=38)), event("e4", timedelta(minutes=36), CARD)

    def raised() -> list[str]:
        return [*sent_after_waits(settings)]

    with Worker(settings) as worker:
        worker.wait_ready(2)
        send(settings, begun)
        worker.wait_until(lambda: raised() == ["e1"])
        send(settings, late)
        worker.wait_until(lambda: worker.total("vipcare_position") >= 2)
        send(settings, answer, again)
        worker.wait_until(lambda: worker.total("vipcare_position") >= 4)
        assert worker.stop() == 0
    assert raised() == ["e1"]
    told = why(capfd, "unpaid", "C1", "--event", "e1")
    (waits, came) = told["answers"]
    assert (waits["acts"], came["acts"], came["lets"]) == (False, True, {"n": "0"})
    assert (told["ends"], told["order"]) == ([], "taken")
    told = why(capfd, "unpaid", "C1", "--event", "e3")
    assert not any(one["acts"] for one in told["answers"])


def sent_after_waits(settings: Settings) -> Iterator[str]:
    """The events whose waits ended with a task."""
    for one in read_topic(settings.kafka, "vip.tasks"):
        task = json.loads(one.value or b"")["data"]
        if task["rule"]["id"] == "unpaid":
            yield task["cause"]["id"]
