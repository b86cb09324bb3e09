"""Where Kafka and ClickHouse are, who we are there, and how the wires to them are secured."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from config.certificates import check_pair
from config.named_files import (
    AuthoritiesFile,
    CertificateFile,
    KeyFile,
    SecretFile,
    password_of_file,
)
from config.section import Port, Section, clash


def _addresses(text: str) -> str:
    address = r"(\[[0-9a-fA-F:.]+\]|[^\s,:/]+):\d{1,5}"
    if not re.fullmatch(rf"{address}(,{address})*", text):
        raise ValueError("write host:port, and commas between several")
    return text


class _Need(NamedTuple):
    """Settings that would be silently left out unless `met`: their owner would believe that a wire
    is safer than it is."""

    names: tuple[str, ...]
    met: Callable[[Any], object]
    told: str
    by: tuple[str, ...]
    """The settings to look at beside."""


_CERTIFICATE = (
    _Need(
        ("certificate_file",),
        lambda wire: wire.key_file,
        "is of no use without its key: set key_file, too, or leave it out",
        ("key_file",),
    ),
    _Need(
        ("key_file", "key_password_file", "key_password"),
        lambda wire: wire.certificate_file,
        "is of no use without a client's certificate: set certificate_file, too, or leave it out",
        ("certificate_file",),
    ),
)
_KAFKA = (
    *_CERTIFICATE,
    _Need(
        ("ca_file", "certificate_file"),
        lambda kafka: kafka.has_tls,
        "is of no use without TLS: set security_protocol to SSL or SASL_SSL, or leave it out",
        ("security_protocol",),
    ),
    _Need(
        ("sasl_mechanism", "sasl_username", "sasl_password_file", "sasl_password"),
        lambda kafka: kafka.has_login,
        "is of no use without a login: set security_protocol to SASL_SSL, or leave it out",
        ("security_protocol",),
    ),
)
_CLICKHOUSE = (
    *_CERTIFICATE,
    _Need(
        ("ca_file", "certificate_file", "verify"),
        lambda clickhouse: clickhouse.secure,
        "is of no use without TLS: set secure to true, or leave it out",
        ("secure",),
    ),
    _Need(
        ("ca_file",),
        lambda clickhouse: clickhouse.verify,
        "is of no use while nothing is verified: set verify to true, or leave it out",
        ("verify",),
    ),
)


def _check_needs(wire: Section, needs: Iterable[_Need]) -> None:
    for need in needs:
        for name in need.names:
            if _is_set(wire, name) and not need.met(wire):
                raise clash(f"{name} {need.told}", name, *need.by)


def _is_set(wire: Section, name: str) -> bool:
    """Whether it is other than its default, and not empty."""
    value = getattr(wire, name)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return value != type(wire).model_fields[name].default and value not in (None, "")


def _check_pair(wire: "KafkaSettings | ClickHouseSettings") -> None:
    if wire.certificate_file is None or wire.key_file is None:
        return
    password = wire.key_password.get_secret_value() if wire.key_password else ""
    try:
        check_pair(wire.certificate_file, wire.key_file, password)
    except ValueError as error:
        names = ("certificate_file", "key_file", "key_password_file", "key_password")
        raise clash(f"{wire.key_file}: {error}", *names) from None


class KafkaSettings(Section):
    """Where Kafka is. One section for both clients, aiokafka and librdkafka."""

    bootstrap: Annotated[str, AfterValidator(_addresses)] = Field(
        "127.0.0.1:9092", description="addresses, host:port[,host:port]"
    )
    transactions: bool = Field(
        True, description="off only for a broker that has none (the embedded one): flushes instead"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="SASL_SSL in production, or SSL with a client's certificate"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, description="how to log in, with a SASL protocol"
    )
    sasl_username: str | None = Field(None, description="who logs in")
    sasl_password_file: SecretFile | None = Field(
        None, description="a file that holds the password, read at the start"
    )
    sasl_password: SecretStr | None = Field(
        None, validate_default=True, description="never shown; or `sasl_password_file`"
    )
    ca_file: AuthoritiesFile | None = Field(
        None,
        description="PEM file of who signed the brokers' certificates; none = those that the "
        "system trusts",
    )
    certificate_file: CertificateFile | None = Field(
        None, description="PEM file of this client's certificate, where brokers ask for one"
    )
    key_file: KeyFile | None = Field(None, description="PEM file of its key")
    key_password_file: SecretFile | None = Field(
        None, description="a file that holds the key's password, read at the start"
    )
    key_password: SecretStr | None = Field(
        None, validate_default=True, description="never shown; of an encrypted key"
    )

    _passwords = field_validator("sasl_password", "key_password")(password_of_file)

    @property
    def has_tls(self) -> bool:
        return self.security_protocol.endswith("SSL")

    @property
    def has_login(self) -> bool:
        return self.security_protocol.startswith("SASL")

    @model_validator(mode="after")
    def _is_as_safe_as_it_reads(self) -> Self:
        _check_needs(self, _KAFKA)
        _check_pair(self)
        return self

    @model_validator(mode="after")
    def _logs_in_with_all_it_takes(self) -> Self:
        needed = ("sasl_mechanism", "sasl_username", "sasl_password")
        missing = [name for name in needed if not _is_set(self, name)]
        if self.has_login and missing:
            message = f"{self.security_protocol} needs {' and '.join(missing)}"
            raise clash(message, "security_protocol", *missing)
        return self


class ClickHouseSettings(Section):
    """Where ClickHouse is, by its native protocol."""

    host: str = Field("127.0.0.1", description="name or address")
    port: Port = Field(9000, description="of the native protocol, 9440 with TLS")
    http_port: Port = Field(
        8123, description="where `vipcare clickhouse` and `vipcare up` serve HTTP to other tools"
    )
    user: str = Field("default", description="may insert, and migrate")
    password_file: SecretFile | None = Field(
        None, description="a file that holds the password, read at the start"
    )
    password: SecretStr = Field(
        SecretStr(""), validate_default=True, description="never shown; or `password_file`"
    )
    database: str = Field(
        "vipcare", pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", description="holds all tables"
    )
    secure: bool = Field(False, description="speak TLS")
    verify: bool = Field(
        True, description="with TLS, see that it is the right server; off only to try things"
    )
    ca_file: AuthoritiesFile | None = Field(
        None, description="PEM file of who signed its certificate; none = the usual ones"
    )
    certificate_file: CertificateFile | None = Field(
        None, description="PEM file of this client's certificate, where it asks for one"
    )
    key_file: KeyFile | None = Field(None, description="PEM file of its key")
    key_password_file: SecretFile | None = Field(
        None, description="a file that holds the key's password, read at the start"
    )
    key_password: SecretStr | None = Field(
        None, validate_default=True, description="never shown; of an encrypted key"
    )
    compression: Literal["none", "lz4", "zstd"] = Field("lz4", description="on the wire")

    _passwords = field_validator("password", "key_password")(password_of_file)

    @model_validator(mode="after")
    def _is_as_safe_as_it_reads(self) -> Self:
        _check_needs(self, _CLICKHOUSE)
        _check_pair(self)
        return self
