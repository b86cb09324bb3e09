"""Where ClickHouse is, and how to reach it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 60

FAILURES = (Error, OSError, EOFError)
"""What the driver raises when ClickHouse is away or refuses."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Tls:
    """How to speak TLS: PEM files, None for the authorities that are usual, or for no certificate
    of our own."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: str = ""
    verify: bool = True

    def options(self) -> dict[str, object]:
        """As the driver takes them."""
        found: dict[str, object] = {"secure": True, "verify": self.verify}
        if self.ca_file is not None:
            found["ca_certs"] = str(self.ca_file)
        if self.certificate_file is not None:
            found |= {"certfile": str(self.certificate_file), "keyfile": str(self.key_file)}
            # A function, as OpenSSL asks at the terminal where there is none.
            found["keypass"] = lambda: self.key_password
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A ClickHouse by its native protocol, and the database that holds the tables."""

    host: str
    port: int
    database: str
    user: str = "default"
    password: str = ""
    tls: Tls | None = None
    compression: Literal["none", "lz4", "zstd"] = "lz4"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        """Without the password."""
        return f"Address({self}, database={self.database!r})"


def connect(address: Address, database: str | None = None) -> Client:
    """A client; it connects at its first query. `database` in place of the address's own."""
    return Client(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database if database is None else database,
        compression=False if address.compression == "none" else address.compression,
        connect_timeout=CONNECT_TIMEOUT_S,
        send_receive_timeout=ANSWER_TIMEOUT_S,
        client_name="vipcare",
        **(address.tls.options() if address.tls else {}),
    )


@contextmanager
def client_of(address: Address, database: str | None = None) -> Iterator[Client]:
    """A client that is disconnected in the end."""
    client = connect(address, database)
    try:
        yield client
    finally:
        client.disconnect()


def greet(address: Address) -> None:
    """See that a ClickHouse answers there within seconds: what listens may be something else.

    Raises one of FAILURES.
    """
    client = connect(address, "")
    connection = client.connection
    connection.send_receive_timeout = CONNECT_TIMEOUT_S
    try:
        connection.force_connect()
    finally:
        client.disconnect()
