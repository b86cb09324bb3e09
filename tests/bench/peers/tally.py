"""The workload `tiny` as an expert would write it: a sum and a count a customer, and an alert.

The same condition as the rule in tests/bench/tiny.py.
"""

import struct

import msgspec
from msgspec import Struct

LARGE_CENTS = 1_960_000
TOTAL_CENTS = 5_000_000

_STATE = struct.Struct("<qq")
pack = _STATE.pack
"""(count, sum in cents) → the state's 16 bytes."""
unpack = _STATE.unpack
NOTHING = pack(0, 0)


class Data(Struct, gc=False):
    base_amount: str


class Transfer(Struct, gc=False):
    """What of transfer.completed this workload needs."""

    id: str
    data: Data


parse = msgspec.json.Decoder(Transfer).decode
_encode = msgspec.json.Encoder().encode


def add(state: bytes, transfer: Transfer) -> tuple[bytes, int, int, bool]:
    """The new state, its count and sum, and whether to alert."""
    count, total = unpack(state)
    amount = round(float(transfer.data.base_amount) * 100)
    count, total = count + 1, total + amount
    return pack(count, total), count, total, total >= TOTAL_CENTS and amount >= LARGE_CENTS


def alert(customer: str, transfer: Transfer, count: int, total: int) -> bytes:
    return _encode(
        {
            "id": f"alert-{transfer.id}",
            "type": "vip.alert",
            "subject": customer,
            "data": {
                "rule": "tiny",
                "count": count,
                "total": f"{total // 100}.{total % 100:02d}",
                "amount": transfer.data.base_amount,
                "cause": transfer.id,
            },
        }
    )
