"""Certificates for tests: authorities, brokers, clients, as the PEM files that settings name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
LONG_AGO = YESTERDAY - timedelta(days=1)


class Pair:
    """A certificate with its issuers behind it, and its key, in files of their own and together."""

    def __init__(self, leaf: trustme.LeafCert, folder: Path, name: str) -> None:
        self.certificate = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        self.together = folder / f"{name}.both.pem"
        self._key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        self.certificate.write_bytes(chain)
        self.key.write_bytes(self._pem(serialization.NoEncryption()))
        self.together.write_bytes(self.key.read_bytes() + chain)

    def encrypted(self, password: str) -> Path:
        """The key again, in a file that asks for a password."""
        path = self.key.with_suffix(".encrypted")
        path.write_bytes(self._pem(serialization.BestAvailableEncryption(password.encode())))
        return path

    def _pem(self, how: serialization.KeySerializationEncryption) -> bytes:
        # PKCS 8 is the only form that Kafka reads.
        form = serialization.PrivateFormat.PKCS8
        return self._key.private_bytes(serialization.Encoding.PEM, form, how)


class Authority:
    """Somebody who signs; `file` is what clients trust."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def server(self, name: str, *identities: str, expired: bool = False) -> Pair:
        times = {"not_before": LONG_AGO, "not_after": YESTERDAY} if expired else {}
        return Pair(self._ca.issue_cert(*identities, **times), self._folder, name)

    def client(self, name: str, *, expired: bool = False) -> Pair:
        times = {"not_before": LONG_AGO, "not_after": YESTERDAY} if expired else {}
        leaf = self._ca.issue_cert(f"{name}.bank.example", common_name=name, **times)
        return Pair(leaf, self._folder, name)
