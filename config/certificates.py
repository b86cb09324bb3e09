"""Certificates in PEM files, as far as a setting can be checked before anything is connected.

Errors are ValueErrors that say what is wrong with a file; none holds anything of a key.
"""

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_VERSION, _UTC_TIME = 0xA0, 0x17
"""Tags of DER: a certificate's version, which it may lack, and a time with a year of two digits."""


class Validity(NamedTuple):
    """When a certificate may be used, instants."""

    begins: datetime
    ends: datetime

    def problem(self, now: datetime) -> str:
        """Why it may not be used now; empty if it may."""
        if now > self.ends:
            return f"the certificate has expired on {self.ends:%Y-%m-%d %H:%M} UTC: renew it"
        if now < self.begins:
            return (
                f"the certificate is valid from {self.begins:%Y-%m-%d %H:%M} UTC on: "
                "is this machine's clock right?"
            )
        return ""


def validities(pem: str) -> list[Validity]:
    """Of every certificate of a PEM text, in its order. Raises ValueError if there is none."""
    blocks = _BLOCK.findall(pem)
    if not blocks:
        raise ValueError("there is no certificate in it: a PEM file begins -----BEGIN CERTIFICATE")
    try:
        ders = [ssl.PEM_cert_to_DER_cert(block) for block in blocks]
        # OpenSSL reads them all before the few lines below take a look of their own.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=b"".join(ders))
        return [_validity(der) for der in ders]
    except (ValueError, IndexError, ssl.SSLError):
        raise ValueError("a certificate in it is damaged") from None


def check_pair(certificate: Path, key: Path, password: str) -> None:
    """See that a key opens and belongs to its certificate. Raises ValueError."""
    asked = False

    def tell() -> str:
        nonlocal asked
        asked = True
        return password

    try:
        # Without a function to ask, OpenSSL would ask at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=tell)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ValueError("the key is not the one of the certificate") from None
        if asked:
            wrong = "is wrong" if password else "is missing"
            raise ValueError(f"the key is encrypted, and its password {wrong}") from None
        raise ValueError("the key is damaged, or no key") from None
    if password and not asked:
        raise ValueError("the key is not encrypted: leave its password out, or encrypt it")


def _validity(der: bytes) -> Validity:
    """By X.509: the certificate's first part holds, after a version, the serial number, the
    algorithm, the issuer and then the validity."""
    (certificate,) = _parts(der)
    fields = list(_parts(next(_parts(certificate[1]))[1]))
    begins, ends = _parts(fields[4 if fields[0][0] == _VERSION else 3][1])
    return Validity(_instant(*begins), _instant(*ends))


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of one DER element after the other."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size]), at + size
        yield tag, der[at : at + length]
        at += length


def _instant(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("20" if text < "50" else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
