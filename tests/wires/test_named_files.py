"""Certificates, keys and passwords in files: whatever is wrong is told when settings are loaded."""

import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from config.certificates import validities
from config.load import SettingsError, load_settings
from config.wires import KafkaSettings
from tests.wires.certificates import YESTERDAY, Authority
from tests.wires.secure_kafka import variables

MARK = "hush-MARKED-PASSWORD"
_WHOLE = ssl.PEM_cert_to_DER_cert(trustme.CA().cert_pem.bytes().decode())


class Files:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        self.client = self.authority.client("worker")

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("files"))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What is said of settings of a section; empty if nothing is wrong."""

    def load(section: str, **values: object) -> list[str]:
        for name, value in variables(section, values).items():
            monkeypatch.setenv(name, value)
        try:
            load_settings()
        except SettingsError as error:
            return error.lines
        return []

    return load


def with_tls(section: str) -> dict[str, object]:
    return {"security_protocol": "SSL"} if section == "kafka" else {"secure": True}


@pytest.mark.parametrize("section", ["kafka", "clickhouse"])
def test_files_that_are_as_they_should_be(
    section: str, files: Files, told: Callable[..., list[str]]
) -> None:
    assert not told(
        section,
        **with_tls(section),
        ca_file=files.authority.file,
        certificate_file=files.client.certificate,
        key_file=files.client.encrypted(MARK),
        key_password_file=files.write("password", f"{MARK}\n".encode()),
    )
    loaded = getattr(load_settings(), section)
    assert loaded.key_password.get_secret_value() == MARK


def _wrong(files: Files) -> dict[str, tuple[dict[str, object], str]]:
    """What is wrong → the settings, and what is said."""
    mine, other = files.client, files.authority.client("other")
    old = files.authority.client("old", expired=True)
    torn = files.client.certificate.read_bytes().replace(b"MII", b"AAA", 1)

    def pair(certificate: Path, key: Path, **more: object) -> dict[str, object]:
        return {"certificate_file": certificate, "key_file": key, **more}

    return {
        "missing": ({"ca_file": "/no/ca.pem"}, "/no/ca.pem: No such file or directory"),
        "a folder": ({"ca_file": files.folder}, "Is a directory"),
        "empty": ({"ca_file": files.write("empty", b"")}, "there is no certificate in it"),
        "binary": ({"ca_file": files.write("der", b"\x30\x82\xff")}, "it is no text"),
        "torn": ({"ca_file": files.write("torn", torn)}, "a certificate in it is damaged"),
        "a key as authority": ({"ca_file": mine.key}, "there is no certificate in it"),
        "expired authority": ({"ca_file": old.certificate}, f"expired on {YESTERDAY:%Y-%m-%d}"),
        "expired": (pair(old.certificate, old.key), f"expired on {YESTERDAY:%Y-%m-%d}"),
        "no key": ({"certificate_file": mine.certificate}, "without its key: set key_file"),
        "no certificate": ({"key_file": mine.key}, "certificate: set certificate_file"),
        "password of no key": ({"key_password": MARK}, "certificate: set certificate_file"),
        "password of an open key": (
            pair(mine.certificate, mine.key, key_password=MARK),
            "the key is not encrypted: leave its password out",
        ),
        "no key in it": (pair(mine.certificate, mine.certificate), "there is no key in it"),
        "damaged key": (
            pair(mine.certificate, files.write("bad.key", b"-----BEGIN PRIVATE KEY-----\nx\n")),
            "the key is damaged, or no key",
        ),
        "another's key": (pair(mine.certificate, other.key), "not the one of the certificate"),
        "no password": (
            pair(mine.certificate, mine.encrypted(MARK)),
            "the key is encrypted, and its password is missing",
        ),
        "wrong password": (
            pair(mine.certificate, mine.encrypted(MARK), key_password=MARK + "!"),
            "the key is encrypted, and its password is wrong",
        ),
        "missing password file": (
            {"key_password_file": "/no/password"},
            "/no/password: No such file or directory",
        ),
        "empty password file": (
            {"key_password_file": files.write("nothing", b"\n")},
            "it is empty, and should hold the password",
        ),
        "more than a password": (
            {"key_password_file": files.write("two", f"user\n{MARK}\n".encode())},
            "it should hold the password alone, in one line",
        ),
        "two passwords": (
            {"key_password_file": files.write("one", MARK.encode()), "key_password": MARK},
            "set it or key_password_file, not both",
        ),
    }


@pytest.mark.parametrize("section", ["kafka", "clickhouse"])
def test_whatever_is_wrong_names_the_file_and_the_variable(
    section: str, files: Files, told: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for what, (values, said) in _wrong(files).items():
        with monkeypatch.context():
            for name in ("ca", "certificate", "key", "key_password"):
                monkeypatch.delenv(f"VIPCARE_{section}__{name}_FILE".upper(), raising=False)
            monkeypatch.delenv(f"VIPCARE_{section}__KEY_PASSWORD".upper(), raising=False)
            (line,) = told(section, **with_tls(section), **values)
        assert said in line, what
        assert any(variable in line for variable in variables(section, values)), what
        assert MARK not in line, what


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read(files: Files, told: Callable[..., list[str]]) -> None:
    closed = files.write("closed.pem", files.authority.file.read_bytes())
    closed.chmod(0)
    (line,) = told("kafka", security_protocol="SSL", ca_file=closed)
    assert f"{closed}: Permission denied" in line


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"security_protocol": "SASL_SSL"}, "needs sasl_mechanism and sasl_username and"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "u", "sasl_mechanism": "PLAIN"},
         "SASL_SSL needs sasl_password"),
        ({"sasl_mechanism": "PLAIN"}, "sasl_mechanism is of no use without a login"),
        ({"sasl_username": "u", "sasl_password": "p"}, "set security_protocol to SASL_SSL"),
        ({"sasl_username": "u", "security_protocol": "SSL"}, "sasl_username is of no use"),
        ({"sasl_password": "p", "security_protocol": "PLAINTEXT"}, "sasl_password is of no use"),
    ],
)  # fmt: skip
def test_a_login_is_whole(
    values: dict[str, str], said: str, told: Callable[..., list[str]]
) -> None:
    (line,) = told("kafka", **values)
    assert said in line
    assert "VIPCARE_KAFKA__SECURITY_PROTOCOL" in line


@pytest.mark.parametrize("name", ["ca_file", "certificate_file", "verify"])
def test_what_has_no_use_without_tls_is_refused(
    name: str, files: Files, told: Callable[..., list[str]]
) -> None:
    mine = files.client
    values: dict[str, dict[str, object]] = {
        "ca_file": {"ca_file": files.authority.file},
        "certificate_file": {"certificate_file": mine.certificate, "key_file": mine.key},
        "verify": {"verify": False},
    }
    (line,) = told("clickhouse", **values[name])
    assert f"{name} is of no use without TLS: set secure to true, or leave it out" in line
    assert f"VIPCARE_CLICKHOUSE__{name}, VIPCARE_CLICKHOUSE__SECURE".upper() in line
    assert not told("clickhouse", secure=True)
    if name != "verify":
        (line,) = told("kafka", **values[name])
        assert f"{name} is of no use without TLS: set security_protocol to SSL or SASL_SSL" in line


def test_authorities_that_nobody_asks_are_refused(
    files: Files, told: Callable[..., list[str]]
) -> None:
    assert not told("clickhouse", secure=True, verify=False)
    (line,) = told("clickhouse", ca_file=files.authority.file)
    assert "ca_file is of no use while nothing is verified: set verify to true" in line


def test_empty_passwords_and_defaults_are_not_set(told: Callable[..., list[str]]) -> None:
    """As compose gives them, where a variable of its own is not set."""
    assert not told("kafka", sasl_username="", sasl_password="", key_password="")
    assert not told("clickhouse", verify=True, secure=False, key_password="")


def test_a_password_may_come_from_a_file(files: Files, told: Callable[..., list[str]]) -> None:
    path = files.write("login", f"{MARK} with blanks \n".encode())
    login = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN"}
    assert not told("kafka", **login, sasl_username="u", sasl_password_file=path)
    assert not told("clickhouse", password_file=path)
    loaded = load_settings()
    assert loaded.kafka.sasl_password is not None
    assert loaded.kafka.sasl_password.get_secret_value() == f"{MARK} with blanks "
    assert loaded.clickhouse.password.get_secret_value() == f"{MARK} with blanks "


def test_some_authorities_may_be_over(files: Files, told: Callable[..., list[str]]) -> None:
    old = files.authority.client("over", expired=True).certificate.read_bytes()
    both = files.write("both.pem", old + files.authority.file.read_bytes())
    assert not told("kafka", security_protocol="SSL", ca_file=both)


def test_a_library_that_shows_an_error_of_settings_shows_no_value() -> None:
    with pytest.raises(ValueError, match="1 validation error") as caught:
        KafkaSettings.model_validate({"sasl_password": [MARK]})
    assert MARK not in str(caught.value)


def test_a_certificate_says_when_it_is_valid(files: Files) -> None:
    (found, *_) = validities(files.client.certificate.read_text())
    now = datetime.now(UTC)
    assert not found.problem(now)
    assert "from" in found.problem(found.begins - timedelta(seconds=1))
    assert "has expired" in found.problem(found.ends + timedelta(seconds=1))


@given(st.binary(max_size=200), st.integers(0, 400))
def test_damaged_certificates_are_told_and_nothing_else(damage: bytes, at: int) -> None:
    torn = _WHOLE[:at] + damage + _WHOLE[at + len(damage) :]
    problem = "a certificate in it is damaged"
    try:
        assert validities(ssl.DER_cert_to_PEM_cert(torn))
    except ValueError as error:
        problem = str(error)
    assert problem == "a certificate in it is damaged"
