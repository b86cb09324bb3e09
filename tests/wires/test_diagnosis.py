"""A wire to Kafka that is wrong: both clients fail, and one line says what is wrong and what to do.

What is said is tried on Apache Kafka, with the clients that the worker, the sink and the commands
have; each of them ends within seconds.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from confluent_kafka import Consumer, KafkaException, TopicPartition
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from agents.diagnosis import wire_problem
from agents.kafka import faust_credentials
from agents.librdkafka import reader_config
from config.wires import KafkaSettings
from tests.stack.processes import ended, refused, started
from tests.wires.secure_kafka import Door, SecureKafka, password_of, variables

pytestmark = pytest.mark.kafka

PROTOCOL = "VIPCARE_KAFKA__SECURITY_PROTOCOL"


class Wrong(NamedTuple):
    settings: Mapping[str, str]
    said: str
    to_do: str


def wrongs(secure: SecureKafka) -> dict[str, Wrong]:
    return logins(secure) | certificates(secure) | protocols(secure) | addresses(secure)


def logins(secure: SecureKafka) -> dict[str, Wrong]:
    login = secure.login("operator")
    return {
        "wrong password": Wrong(
            login | {"sasl_password": "guess"}, "it refuses operator by SCRAM-SHA-512", "USERNAME"
        ),
        "wrong password, PLAIN": Wrong(
            secure.login("operator", "PLAIN") | {"sasl_password": "guess"},
            "it refuses operator by PLAIN",
            "USERNAME",
        ),
        "unknown user": Wrong(login | {"sasl_username": "nobody"}, "refuses nobody", "USERNAME"),
        "no such login": Wrong(
            without_tls(secure) | {"sasl_mechanism": "PLAIN"},
            "no login by PLAIN",
            "VIPCARE_KAFKA__SASL_MECHANISM to SCRAM-SHA-512",
        ),
    }


def certificates(secure: SecureKafka) -> dict[str, Wrong]:
    login, stranger = secure.login("operator"), {"ca_file": str(secure.stranger.file)}
    other = secure.stranger.client("worker")
    return {
        "wrong authority": Wrong(login | stranger, "signed by none of", "VIPCARE_KAFKA__CA_FILE"),
        "no authority": Wrong(
            without_authority(login),
            "signed by none of those that the system trusts",
            "VIPCARE_KAFKA__CA_FILE",
        ),
        "expired": Wrong(secure.with_tls(Door.EXPIRED), "certificate has expired", "renew it"),
        "another host's certificate": Wrong(
            secure.with_tls(Door.MISNAMED), "is for another name", "VIPCARE_KAFKA__BOOTSTRAP"
        ),
        "another name of the host": Wrong(
            login | {"bootstrap": f"localhost:{secure.ports[Door.LOGIN]}"},
            "is for another name",
            "VIPCARE_KAFKA__BOOTSTRAP",
        ),
        "no certificate": Wrong(
            secure.with_tls(Door.MUTUAL), "asks for a certificate", "VIPCARE_KAFKA__KEY_FILE"
        ),
        "a stranger's certificate": Wrong(
            secure.with_tls(Door.MUTUAL)
            | {"certificate_file": str(other.certificate), "key_file": str(other.key)},
            f"it refuses the certificate in {other.certificate}",
            "truststore",
        ),
    }


def protocols(secure: SecureKafka) -> dict[str, Wrong]:
    login = secure.login("operator")
    bare, scram = {"security_protocol": "PLAINTEXT"}, without_tls(secure)
    return {
        "plain on TLS": Wrong(
            bare | {"bootstrap": secure.address(Door.LOGIN)}, "this port speaks TLS", PROTOCOL
        ),
        "plain login on TLS": Wrong(
            scram | {"bootstrap": secure.address(Door.LOGIN)},
            "this port speaks TLS",
            f"{PROTOCOL} to SASL_SSL",
        ),
        "TLS on a plain port": Wrong(
            login | {"bootstrap": secure.server.bootstrap},
            "this port speaks no TLS",
            f"{PROTOCOL} to SASL_PLAINTEXT",
        ),
        "login where there is none": Wrong(
            login | {"bootstrap": secure.address(Door.ASTRAY)},
            "this port takes no login",
            f"{PROTOCOL} to SSL",
        ),
        "no login": Wrong(
            {"bootstrap": secure.address(Door.LOGIN), "ca_file": login["ca_file"]}
            | {"security_protocol": "SSL"},
            "it ends the connection: if it wants a login",
            f"{PROTOCOL} to SASL_SSL",
        ),
    }


def addresses(secure: SecureKafka) -> dict[str, Wrong]:
    login = secure.login("operator")
    return {
        "astray": Wrong(
            secure.with_tls(Door.ASTRAY),
            f"sends clients on to kafka-1.bank.invalid:{secure.ports[Door.ASTRAY]}",
            "advertised.listeners",
        ),
        "unknown host": Wrong(
            login | {"bootstrap": "kafka.bank.invalid:9093"}, "its name is unknown here", "DNS"
        ),
        "nobody there": Wrong(
            login | {"bootstrap": "127.0.0.1:1"}, "nobody listens there", "VIPCARE_KAFKA__BOOTSTRAP"
        ),
    }


def without_authority(login: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in login.items() if name != "ca_file"}


def without_tls(secure: SecureKafka) -> dict[str, str]:
    return {
        **without_authority(secure.login("operator")),
        "bootstrap": secure.address(Door.BARE_LOGIN),
        "security_protocol": "SASL_PLAINTEXT",
    }


def test_what_is_wrong_is_told_with_what_to_do(secure: SecureKafka) -> None:
    for what, wrong in wrongs(secure).items():
        began = time.monotonic()
        told = wire_problem(KafkaSettings.model_validate(wrong.settings))
        assert wrong.said in told, what
        assert wrong.to_do in told, what
        assert wrong.settings["bootstrap"] in told, what
        assert "\n" not in told
        assert password_of("operator") not in told
        assert time.monotonic() - began < 8, what


def rights(secure: SecureKafka) -> list[Mapping[str, str]]:
    mine = secure.authority.client("operator")
    certificate = {"certificate_file": str(mine.certificate), "key_file": str(mine.key)}
    encrypted = {"key_file": str(mine.encrypted("sesame")), "key_password": "sesame"}
    return [
        *(secure.login("operator", m) for m in ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")),
        secure.with_tls(Door.MUTUAL) | certificate,
        secure.with_tls(Door.MUTUAL) | certificate | encrypted,
        {"bootstrap": secure.server.bootstrap},
        secure.login("operator") | {"bootstrap": f"127.0.0.1:1,{secure.address(Door.LOGIN)}"},
    ]


async def _aiokafka(kafka: KafkaSettings) -> bool:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap.split(","),
        request_timeout_ms=3_000,
        **credentials_to_aiokafka_auth(faust_credentials(kafka)),
    )
    try:
        await consumer.start()
        # What a broker says of itself is used from here on.
        partition = sorted(consumer._client.cluster.brokers())[0].nodeId
        return bool(await consumer._client.ready(partition))
    except KafkaError:
        return False
    finally:
        await consumer.stop()


def _librdkafka(kafka: KafkaSettings, patience_s: float) -> bool:
    consumer = Consumer(reader_config(kafka, "vipcare-trying"))
    place, deadline = TopicPartition("bank.core", 0), time.monotonic() + patience_s
    try:
        while (left := deadline - time.monotonic()) > 0:
            with suppress(KafkaException):  # a new topic has no leader at first
                consumer.list_topics("bank.core", timeout=left)
                consumer.get_watermark_offsets(place, timeout=left)
                return True
        return False
    finally:
        consumer.close()


@pytest.mark.usefixtures("given")
def test_both_clients_can_use_a_wire_that_is_said_to_be_right(secure: SecureKafka) -> None:
    for values in rights(secure):
        kafka = KafkaSettings.model_validate(values)
        assert not wire_problem(kafka)
        assert asyncio.run(_aiokafka(kafka))
        assert _librdkafka(kafka, 20)


def test_neither_client_can_use_a_wire_that_is_said_to_be_wrong(secure: SecureKafka) -> None:
    def usable(wrong: Wrong) -> bool:
        kafka = KafkaSettings.model_validate(wrong.settings)
        return asyncio.run(_aiokafka(kafka)) or _librdkafka(kafka, 2)

    told = wrongs(secure)
    with ThreadPoolExecutor(len(told)) as each:  # they wait, most of the time
        assert [
            what for what, can in zip(told, each.map(usable, told.values()), strict=True) if can
        ] == []


COMMANDS = {
    "worker": "wrong password",
    "sink": "wrong authority",
    "bank": "expired",
    "topics create": "another host's certificate",
    "topics check": "plain on TLS",
    "dead-letters list": "no such login",
    "events send": "TLS on a plain port",
}


def test_every_command_ends_with_the_line_within_seconds(secure: SecureKafka, tmp_path) -> None:
    told = wrongs(secure)
    event = tmp_path / "events.jsonl"
    event.write_text(json.dumps(_EVENT) + "\n")
    with ExitStack() as stack:
        began = time.monotonic()
        processes = {
            command: stack.enter_context(
                started(
                    *command.split(),
                    *([str(event)] if command == "events send" else []),
                    **variables("kafka", told[what].settings),
                )
            )
            for command, what in COMMANDS.items()
        }
        for command, process in processes.items():
            line = refused(ended(process, timeout_s=60))
            assert told[COMMANDS[command]].said in line, command
        assert time.monotonic() - began < 40


_EVENT = {
    "specversion": "1.0",
    "type": "page.viewed",
    "id": "1",
    "source": "/test",
    "subject": "C1",
    "time": "2026-01-05T09:00:00+08:00",
    "data": {"page": "home"},
}
