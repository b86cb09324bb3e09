"""The register of rules, `vip.rules`: what its messages hold, by key.

- `RULE@VERSION` is a version of a rule as its author brought it, once and for all;
- `active` says which version of each rule is in force, and as what;
- `isolated:RULE@VERSION` is a version that raised too often: it runs in shadow whatever `active`
  says, until the key is removed.
"""

import re
from typing import Literal

import msgspec
from msgspec import Struct

from schemas.rules import Status

RULES_TOPIC = "vip.rules"
REGISTRAR = "vipcare-rules"
"""The transactional id of whoever changes the register: Kafka lets one at a time."""
ACTIVE_KEY = b"active"
_ISOLATED = "isolated:"
_KEY = re.compile(rb"(isolated:)?([a-z0-9-]{1,64})@([1-9]\d{0,9})\Z")


class RuleVersion(Struct, frozen=True, kw_only=True):
    """A version of a rule. Its status is the one that its author asks for."""

    definition: str
    """JSON of schemas.rules.RuleDefinition, without examples."""
    source: str
    """The file as it was written."""
    author: str
    """Empty of one that was in force from a file before there was a register."""
    at: str
    """Real time, ISO 8601."""


class Standing(Struct, frozen=True, array_like=True):
    """Of a rule, the version in force, and as what."""

    version: int
    status: Status
    lived: tuple[int, ...] = ()
    """The versions that have been live: to one of them it can be rolled back."""


class Active(Struct, frozen=True, kw_only=True):
    number: int
    """Counts the publications from 1."""
    rules: dict[str, Standing]
    by: str
    at: str
    """Real time, ISO 8601."""


class Isolated(Struct, frozen=True, kw_only=True):
    errors: int
    """So often it raised in one worker."""
    worker: str
    at: str
    """Real time, ISO 8601."""


class RegisterKey(Struct, frozen=True):
    kind: Literal["rule", "isolated"]
    rule: str
    version: int

    def encode(self) -> bytes:
        prefix = _ISOLATED if self.kind == "isolated" else ""
        return f"{prefix}{self.rule}@{self.version}".encode()


def parse_key(key: bytes) -> RegisterKey | None:
    """The key of a version or of an isolation; None if it is neither."""
    found = _KEY.match(key)
    if found is None:
        return None
    kind: Literal["rule", "isolated"] = "isolated" if found[1] else "rule"
    return RegisterKey(kind, found[2].decode(), int(found[3]))


encode_register = msgspec.json.Encoder().encode
decode_version = msgspec.json.Decoder(RuleVersion).decode
decode_active = msgspec.json.Decoder(Active).decode
decode_isolated = msgspec.json.Decoder(Isolated).decode
