"""One section of settings, two clients: both get the same."""

from faust.auth import SASLCredentials, SSLCredentials
from pydantic import SecretStr
from yarl import URL

from agents.kafka import faust_brokers, faust_credentials, producer_config
from config.settings import KafkaSettings, WorkerSettings

WORKER = WorkerSettings(app="bank", transaction_timeout_ms=30_000)


def test_plain_connections_need_no_credentials() -> None:
    settings = KafkaSettings(bootstrap="a:1,b:2")
    assert faust_brokers(settings) == [URL("kafka://a:1"), URL("kafka://b:2")]
    assert faust_credentials(settings) is None


def test_passwords_and_tls_reach_both_clients() -> None:
    settings = KafkaSettings(
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="u",
        sasl_password=SecretStr("p"),
    )
    found = faust_credentials(settings)
    assert isinstance(found, SASLCredentials)
    assert (found.username, found.password) == ("u", "p")
    assert found.mechanism.value == "SCRAM-SHA-512"
    assert found.protocol.value == "SASL_SSL"
    assert found.ssl_context is not None
    config = producer_config(settings, WORKER, 3)
    assert (config["sasl.username"], config["sasl.password"]) == ("u", "p")
    assert config["security.protocol"] == "SASL_SSL"
    assert isinstance(faust_credentials(KafkaSettings(security_protocol="SSL")), SSLCredentials)


def test_a_runner_has_a_transactional_producer_where_there_are_transactions() -> None:
    config = producer_config(KafkaSettings(), WORKER, 3)
    assert config["transactional.id"] == "bank-3"
    assert config["message.timeout.ms"] <= config["transaction.timeout.ms"] == 30_000
    plain = producer_config(KafkaSettings(transactions=False), WORKER, 3)
    assert "transactional.id" not in plain
    assert plain["acks"] == "all"
