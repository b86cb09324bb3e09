"""What people and workers did, on `vip.audit`: who, what, when. Key: who."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from schemas.rule_register import Standing

AUDIT_TOPIC = "vip.audit"

Deed = Literal[
    "rules.seeded",
    "rules.published",
    "rules.approved",
    "rules.rolled_back",
    "rules.isolated",
    "rules.warmed",
]


class RuleChange(Struct, frozen=True, kw_only=True):
    rule: str
    version: int
    status: str
    """In force as that; of one that was published, what its author asks for."""
    before: Standing | None = None
    """What was in force; None if nothing was, or a rule was warmed: that puts nothing in force."""


class Warmed(Struct, frozen=True, kw_only=True):
    customers: int
    """So many had something in a window that was filled."""
    since: datetime
    """The archive was whole from here on, bank time."""


class RuleChanges(Struct, frozen=True, kw_only=True, omit_defaults=True):
    number: int
    """Of the publication; 0 if there was none: what was published, isolated or warmed."""
    changes: list[RuleChange]
    warmed: Warmed | None = None
    """With what a rule was warmed."""


class Audited(Struct, frozen=True, kw_only=True):
    id: str
    type: Deed
    subject: str
    """Who: a person's name, or `worker@` and a machine's."""
    time: datetime
    """Real time."""
    data: RuleChanges
    source: str = "/vipcare/rules"
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"


encode_audited = msgspec.json.Encoder().encode
decode_audited = msgspec.json.Decoder(Audited).decode
