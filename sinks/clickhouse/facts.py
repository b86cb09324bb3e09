"""A fact of a global topic as a row: what it is about, and its data as JSON text.

Fields that identify a person are left out, as in events.
"""

from schemas.decode import BrokenEventError, UnknownTypeError, decode_fact
from sinks.clickhouse.events import public_json
from sinks.clickhouse.message import Message, Row, Unstorable, millis

COLUMNS = ("topic", "offset", "received", "kind", "name", "removed", "time", "source", "id", "data")


def fact_row(message: Message) -> Row:
    """The row of one message. Raises Unstorable("broken" or "unknown")."""
    kind, _, name = (message.key or b"").decode(errors="replace").partition(":")
    place = message.topic, message.offset, message.received, kind, name
    if message.value is None:
        return (*place, True, message.received, "", "", "{}")
    try:
        fact = decode_fact(message.value)
    except UnknownTypeError:
        raise Unstorable("unknown") from None
    except BrokenEventError:
        raise Unstorable("broken") from None
    if fact.topic != message.topic or fact.subject != f"{kind}:{name}":
        raise Unstorable("broken")
    return (*place, False, millis(fact.time), fact.source, fact.id, public_json(fact.data))
