"""Where Kafka and ClickHouse are, who we are there, and how the wires to them are secured."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

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


def _check_certificate(
    certificate: Path | None, key: Path | None, password: SecretStr | None
) -> None:
    if (certificate is None) != (key is None):
        raise clash(
            "a client's certificate needs its key: set both, or neither",
            "certificate_file",
            "key_file",
        )
    if certificate is not None and key is not None:
        try:
            check_pair(certificate, key, password.get_secret_value() if password else "")
        except ValueError as error:
            names = ("certificate_file", "key_file", "key_password_file", "key_password")
            raise clash(f"{key}: {error}", *names) from None


def _check_unused(given: Iterable[tuple[str, object]], needs: str, name: str) -> None:
    """What would be silently left out, so that a wire is not as safe as its owner believes."""
    for setting, value in given:
        if value is not None:
            raise clash(f"{setting} is of no use without {needs}", setting, name)


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
    def _logs_in_with_all_it_takes(self) -> Self:
        if not self.has_login:
            given = [("sasl_mechanism", self.sasl_mechanism)]
            _check_unused(given, "SASL_SSL or SASL_PLAINTEXT", "security_protocol")
            return self
        needed = {
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_username": self.sasl_username,
            "sasl_password": self.sasl_password and self.sasl_password.get_secret_value(),
        }
        if missing := [name for name, value in needed.items() if not value]:
            message = f"{self.security_protocol} needs {' and '.join(missing)}"
            raise clash(message, "security_protocol", *missing)
        return self

    @model_validator(mode="after")
    def _has_a_certificate_that_can_be_used(self) -> Self:
        if not self.has_tls:
            given = [("ca_file", self.ca_file), ("certificate_file", self.certificate_file)]
            _check_unused(given, "SSL or SASL_SSL", "security_protocol")
        _check_certificate(self.certificate_file, self.key_file, self.key_password)
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
    def _has_a_certificate_that_can_be_used(self) -> Self:
        if not self.secure:
            given = [("ca_file", self.ca_file), ("certificate_file", self.certificate_file)]
            _check_unused(given, "secure", "secure")
        _check_certificate(self.certificate_file, self.key_file, self.key_password)
        return self
