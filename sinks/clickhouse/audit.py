"""What somebody did, as a row: its changes side by side in arrays, a place for each rule."""

from msgspec import MsgspecError

from schemas.audit import decode_audited
from sinks.clickhouse.message import Message, Row, Unstorable, integers, millis

COLUMNS = (
    "offset",
    "received",
    "time",
    "who",
    "deed",
    "id",
    "publication",
    "rules",
    "versions",
    "statuses",
    "before_versions",
    "before_statuses",
    "customers",
    "since",
)


def audit_row(message: Message) -> Row:
    """The row of one message. Raises Unstorable("broken")."""
    try:
        audited = decode_audited(message.value or b"")
    except MsgspecError:
        raise Unstorable("broken") from None
    changes, warmed = audited.data.changes, audited.data.warmed
    before = [one.before for one in changes]
    return (
        message.offset,
        message.received,
        millis(audited.time),
        audited.subject,
        audited.type,
        audited.id,
        *integers(audited.data.number),
        [one.rule for one in changes],
        [*integers(*(one.version for one in changes))],
        [one.status for one in changes],
        [one and integers(one.version)[0] for one in before],
        [one and one.status for one in before],
        warmed and integers(warmed.customers)[0],
        warmed and millis(warmed.since),
    )
