"""Files that settings name, read and checked when the settings are loaded.

A ValueError says which file and what is wrong with it, and holds nothing of a secret.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, SecretStr, ValidationInfo

from config.certificates import validities
from config.section import GivenPath

_KEY = "PRIVATE KEY-----"
_MAX_SECRET = 4_096


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: it is no text (a PEM file is, and a password)") from None


def _problems(path: Path) -> list[str]:
    """Of each certificate, why it may not be used now; empty where it may."""
    text, now = _text(path), datetime.now(UTC)
    try:
        return [validity.problem(now) for validity in validities(text)]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _authorities(path: Path) -> Path:
    problems = _problems(path)
    if all(problems):  # collections of authorities often hold some that are over
        raise ValueError(f"{path}: {problems[0]}")
    return path


def _certificate(path: Path) -> Path:
    if problem := _problems(path)[0]:  # the first is the client's own, others are its issuers
        raise ValueError(f"{path}: {problem}")
    return path


def _key(path: Path) -> Path:
    if _KEY not in _text(path):
        raise ValueError(f"{path}: there is no key in it: a PEM file has a line … {_KEY}")
    return path


def _secret(path: Path) -> Path:
    secret_in(path)
    return path


def secret_in(path: Path) -> SecretStr:
    """A password that is a file's only line. Raises ValueError."""
    text = _text(path).strip("\r\n")
    if not text:
        raise ValueError(f"{path}: it is empty, and should hold the password")
    if "\n" in text or len(text) > _MAX_SECRET:
        raise ValueError(f"{path}: it should hold the password alone, in one line")
    return SecretStr(text)


def password_of_file(given: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    """Validates a setting `x`: its value, or else what the file that `x_file` names holds.

    `x_file` must be declared before `x`, and `x` with `validate_default=True`.
    """
    path = info.data.get(f"{info.field_name}_file")
    if path is None:
        return given
    if given is not None and given.get_secret_value():
        raise ValueError(f"set it or {info.field_name}_file, not both")
    return secret_in(path)


AuthoritiesFile = Annotated[GivenPath, AfterValidator(_authorities)]
"""PEM: one or more certificates of authorities, not all of them expired."""
CertificateFile = Annotated[GivenPath, AfterValidator(_certificate)]
"""PEM: the client's certificate, valid now, and those of its issuers behind it."""
KeyFile = Annotated[GivenPath, AfterValidator(_key)]
"""PEM: a private key."""
SecretFile = Annotated[GivenPath, AfterValidator(_secret)]
"""One line: a password."""
