"""A rule that raises too often runs in shadow from a chunk on that the journal names."""

from pathlib import Path

import pytest

from agents.isolation import Isolation
from agents.reading import read_topic
from agents.register import read_register
from agents.topics import create
from config.settings import Settings
from schemas.audit import AUDIT_TOPIC, decode_audited
from schemas.rule_register import RULES_TOPIC, Standing
from schemas.rules import RuleDefinition
from tests.kafka_server import KafkaServer
from tests.lane.oracle import assert_reconciled, journal
from tests.lane.process import Worker, changed, settings_for
from tests.lane.rules import HUGE, fragile, outcomes, sound, views, write
from tests.lane.test_facts import send

CUSTOMERS, ERRORS = 20, 30


def isolate_a_rule_that_raises(settings: Settings, folder: Path) -> None:
    rules = write(folder / "rules", fragile(), sound())
    settings = changed(settings, "worker", rules=rules, rule_errors=ERRORS)
    create(settings)
    with Worker(settings) as worker:
        send(settings, folder, [*views("before", CUSTOMERS)])
        worker.wait_until(lambda: worker.total("vipcare_events_applied_total") == 2 * CUSTOMERS)
        send(settings, folder, [*views("huge", CUSTOMERS, HUGE)])
        worker.wait_until(lambda: worker.total("vipcare_rule_failures_total") == CUSTOMERS)
        assert worker.total("vipcare_rules_isolated") == 0
        send(settings, folder, [*views("more", CUSTOMERS, HUGE)])
        worker.wait_until(lambda: worker.total("vipcare_rules_isolated") == 1)
        send(settings, folder, [*views("after", CUSTOMERS), *views("x", CUSTOMERS, HUGE)])
        worker.wait_until(lambda: worker.total("vipcare_events_applied_total") == 10 * CUSTOMERS)
        worker.kill()
    send(settings, folder, [*views("again", CUSTOMERS)])
    with Worker(settings) as worker:
        worker.wait_until(lambda: worker.total("vipcare_events_applied_total") >= 2 * CUSTOMERS)
        assert worker.total("vipcare_rules_isolated") == 1
        worker.stop()
    assert_reconciled(settings, 12 * CUSTOMERS)
    found = outcomes(settings)
    assert found["fragile@1 alert"] == named("before")
    assert found["fragile@1 shadow"] == named("after", "again")
    assert found["sound@1 alert"] == named("before", "huge", "more", "after", "x", "again")
    [told] = read_register(settings.kafka).isolations.values()
    assert ERRORS <= told.errors <= 2 * CUSTOMERS
    [found_in_audit] = read_topic(settings.kafka, AUDIT_TOPIC)
    audited = decode_audited(found_in_audit.value or b"")
    assert (audited.type, audited.subject) == ("rules.isolated", f"worker@{told.worker}")
    [change] = audited.data.changes
    assert (change.rule, change.version, change.status) == ("fragile", 1, "shadow")
    assert change.before == Standing(1, "live")
    used = [one.register for number in range(2) for one in journal(settings, number)]
    assert {*used} == {0, 1}


@pytest.mark.kafka
def test_of_two_workers_that_find_out_at_once_one_tells(
    fresh_kafka: KafkaServer, tmp_path: Path
) -> None:
    settings = settings_for(fresh_kafka.bootstrap, tmp_path / "data", transactions=True)
    settings = changed(settings, "worker", rule_errors=ERRORS)
    create(settings)
    rule = RuleDefinition.model_validate(fragile())
    for isolation in (Isolation(settings), Isolation(settings)):
        isolation.failed(rule, ERRORS)
        isolation.publish(frozenset())  # what the other sent was not read yet
        isolation.publish(frozenset())
    assert len(list(read_topic(settings.kafka, AUDIT_TOPIC))) == 1
    assert len(list(read_topic(settings.kafka, RULES_TOPIC))) == 1


def named(*rounds: str) -> set[str]:
    return {f"{one}-{number}" for one in rounds for number in range(CUSTOMERS)}


@pytest.mark.kafka
@pytest.mark.slow
def test_on_kafka(fresh_kafka: KafkaServer, tmp_path: Path) -> None:
    bootstrap = fresh_kafka.bootstrap
    settings = settings_for(bootstrap, tmp_path / "data", transactions=True)
    isolate_a_rule_that_raises(settings, tmp_path)
