"""Apache Kafka as a bank has it: TLS, logins, rights; with listeners that go wrong on purpose."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from config.settings import Settings
from config.wires import KafkaSettings
from tests.kafka_server import KafkaServer
from tests.ports import free_port
from tests.wires.certificates import Authority, Pair

USERS = ("operator", "worker", "sink", "bank", "crm")


class Door(StrEnum):
    """The listeners. All but the last three are as they should be."""

    LOGIN = "LOGIN"
    """SASL_SSL: SCRAM-SHA-512, SCRAM-SHA-256, PLAIN."""
    MUTUAL = "MUTUAL"
    """SSL, and clients need a certificate, whose common name is the user."""
    BARE_LOGIN = "BARE_LOGIN"
    """SASL_PLAINTEXT, SCRAM-SHA-512 alone."""
    EXPIRED = "EXPIRED"
    MISNAMED = "MISNAMED"
    """Its certificate is for another host."""
    ASTRAY = "ASTRAY"
    """The broker sends clients on to a name that nobody knows."""


_PROTOCOLS = {
    str(door): {Door.LOGIN: "SASL_SSL", Door.BARE_LOGIN: "SASL_PLAINTEXT"}.get(door, "SSL")
    for door in Door
}
_SERVER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
    "ssl.principal.mapping.rules": "RULE:^.*CN=([^,]+).*$/$1/",
}


def password_of(user: str) -> str:
    return f"{user}-MARKED-PASSWORD"


class SecureKafka:
    """A server whose plain listener is its administrator's; everyone else needs rights."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.authority = Authority(folder)
        self.stranger = Authority(folder, "stranger")
        self.ports = {door: free_port() for door in Door}
        port = free_port()
        properties = _SERVER | self._listeners(port, free_port()) | self._doors()
        self.server = KafkaServer(folder / "kafka", port, properties=properties)

    def start(self) -> None:
        self.server.start()
        self._register()

    def address(self, door: Door) -> str:
        return f"127.0.0.1:{self.ports[door]}"

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.server.bootstrap, "log_level": 0})

    def login(self, user: str, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """The `kafka` settings of a user."""
        return {
            "bootstrap": self.address(Door.LOGIN),
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": mechanism,
            "sasl_username": user,
            "sasl_password": password_of(user),
            "ca_file": str(self.authority.file),
        }

    def with_tls(self, door: Door) -> dict[str, str]:
        """The `kafka` settings of a client without a name."""
        return {
            "bootstrap": self.address(door),
            "security_protocol": "SSL",
            "ca_file": str(self.authority.file),
        }

    def _listeners(self, port: int, controller: int) -> dict[str, str]:
        plain = {"BROKER": f"127.0.0.1:{port}"}
        more = {str(door): self.address(door) for door in Door}
        astray = {str(Door.ASTRAY): f"kafka-1.bank.invalid:{self.ports[Door.ASTRAY]}"}
        inside = {"CONTROLLER": f"127.0.0.1:{controller}"}
        protocols = {"BROKER": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"} | _PROTOCOLS
        return {
            "listeners": _listed(plain | inside | more, "://"),
            "advertised.listeners": _listed(plain | more | astray, "://"),
            "listener.security.protocol.map": _listed(protocols, ":"),
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        }

    def _doors(self) -> dict[str, str]:
        """What each listener has of its own."""
        signed = self.authority.server
        broker = self._stores(signed("broker", "127.0.0.1"))
        doors = {
            Door.LOGIN: broker
            | _scram("SCRAM-SHA-512,SCRAM-SHA-256")
            | _plain("SCRAM-SHA-512,SCRAM-SHA-256,PLAIN"),
            Door.MUTUAL: broker | {"ssl.client.auth": "required"},
            Door.BARE_LOGIN: _scram("SCRAM-SHA-512"),
            Door.EXPIRED: self._stores(signed("expired", "127.0.0.1", expired=True)),
            Door.MISNAMED: self._stores(signed("misnamed", "kafka.bank.example")),
            Door.ASTRAY: broker,
        }
        return {
            f"listener.name.{door.lower()}.{name}": value
            for door, own in doors.items()
            for name, value in own.items()
        }

    def _stores(self, pair: Pair) -> dict[str, str]:
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(pair.together),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
        }

    def _register(self) -> None:
        admin = self.admin()
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            how = ScramCredentialInfo(mechanism, 4096)
            changes = [
                UserScramCredentialUpsertion(user, how, password_of(user).encode())
                for user in USERS
            ]
            for done in admin.alter_user_scram_credentials(changes).values():
                done.result(timeout=10)


def _listed(values: Mapping[str, str], between: str) -> str:
    return ",".join(f"{name}{between}{value}" for name, value in values.items())


def _scram(mechanisms: str) -> dict[str, str]:
    module = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    each = {f"{one.lower()}.sasl.jaas.config": module for one in mechanisms.split(",")}
    return {"sasl.enabled.mechanisms": mechanisms, **each}


def _plain(mechanisms: str) -> dict[str, str]:
    users = " ".join(f'user_{user}="{password_of(user)}"' for user in USERS)
    module = f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};"
    return {"sasl.enabled.mechanisms": mechanisms, "plain.sasl.jaas.config": module}


def variables(section: str, values: Mapping[str, object]) -> dict[str, str]:
    """Settings of a section as environment variables."""
    return {f"VIPCARE_{section}__{name}".upper(): str(value) for name, value in values.items()}


def settings_of(secure: SecureKafka, user: str) -> Settings:
    return Settings(kafka=KafkaSettings.model_validate(secure.login(user)))


def environment(secure: SecureKafka, user: str, folder: Path, port: int = 1) -> dict[str, str]:
    """Of a part that runs as a user, with its data in `folder`, and ClickHouse at `port`."""
    return {
        **variables("kafka", secure.login(user)),
        "VIPCARE_WORKER__DATA": str(folder / "data"),
        "VIPCARE_CLICKHOUSE__PORT": str(port),
    }
