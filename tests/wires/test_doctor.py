"""`vipcare doctor` on a Kafka with logins and rights."""

import json

import pytest

from agents.doctor.finding import Verdict
from agents.doctor.rights import rights
from agents.doctor.trial import trial
from agents.rights import Right
from agents.rights_check import missing_rights
from tests.doctor.looking import found, the_only
from tests.stack.processes import vipcare
from tests.wires.acls import give, take, until
from tests.wires.secure_kafka import SecureKafka, settings_of, variables

pytestmark = pytest.mark.kafka


def test_a_right_that_is_missing(given: SecureKafka) -> None:
    settings, admin = settings_of(given, "bank"), given.admin()
    lacking = Right("Write", "topic", "bank.card")
    take(admin, "User:bank", [lacking])
    try:
        until(lambda: missing_rights("bank", settings) == [lacking], "all but one")
        finding = the_only(found(rights, settings, "bank"), Verdict.FAIL, str(lacking))
        assert finding.what.startswith("the user bank lacks a right that role bank needs: ")
        assert "vipcare topics acls bank" in finding.advice
    finally:
        give(admin, "User:bank", [lacking])
    until(lambda: not missing_rights("bank", settings), "all")
    the_only(found(rights, settings, "bank"), Verdict.OK, "every right of bank")
    told = vipcare("doctor", "--role", "bank", "--json", **variables("kafka", given.login("bank")))
    assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(told.stdout)["well"] is True
    # Nor may the bank make a topic to try things on.
    the_only(found(trial, settings, "bank"), Verdict.FAIL, "no topic could be made to try")


def test_a_password_that_is_wrong_is_told_and_not_shown(secure: SecureKafka) -> None:
    login = secure.login("bank") | {"sasl_password": "SECRET-GUESS"}
    told = vipcare("doctor", "--role", "bank", **variables("kafka", login))
    assert told.returncode == 1
    assert "it refuses bank by SCRAM-SHA-512" in told.stdout
    assert "SECRET-GUESS" not in told.stdout + told.stderr
