"""Is ClickHouse there, does it have our tables, the right time and room?"""

import time
from collections.abc import Iterator

from clickhouse_driver import Client

from agents.clickhouse import clickhouse_address
from agents.doctor.finding import Examined, Finding, fail, ok, warn
from sinks.clickhouse.address import FAILURES, client_of, greet
from sinks.clickhouse.errors import explain
from sinks.clickhouse.migrate import faults, foreign, missing
from sinks.clickhouse.rebuild.hold import holds
from sinks.clickhouse.rebuild.leftovers import leftovers, table_of

SKEW_WARN_S = 2.0
SKEW_FAIL_S = 60.0
FREE_WARN = 0.15
FREE_FAIL = 0.03


def reachable(examined: Examined) -> Iterator[Finding]:
    address = clickhouse_address(examined.settings.clickhouse)
    try:
        greet(address)
        with client_of(address, "") as client:
            ((version,),) = client.execute("SELECT version()")
    except FAILURES as error:
        yield fail(
            f"ClickHouse at {address}: {explain(error)}",
            "see that it runs, and VIPCARE_CLICKHOUSE__HOST, __PORT (native protocol), __USER",
        )
    else:
        yield ok(f"ClickHouse {version} at {address}")


def schema(examined: Examined) -> Iterator[Finding]:
    address = clickhouse_address(examined.settings.clickhouse)
    with client_of(address, "") as client:
        ((there,),) = client.execute(f"EXISTS DATABASE `{address.database}`")
    if not there:
        yield fail(f"there is no database {address.database}", "make it with `vipcare migrate`")
        return
    with client_of(address) as client:
        absent, others = missing(client), foreign(client)
        wrong = [] if others else faults(client)
        yield from _rebuilds(client)
    for line in others:
        what, _, advice = line.partition(": ")
        yield fail(what, advice)
    if absent:
        yield fail(
            f"database {address.database} lacks {len(absent)} migrations, the first {absent[0]}",
            "apply them with `vipcare migrate`",
        )
    for fault in wrong:
        yield (fail if fault.mended else warn)(str(fault), fault.advice)
    if not absent and not others and not wrong:
        yield ok(f"the tables of database {address.database} are those of this version")


def _rebuilds(client: Client) -> Iterator[Finding]:
    """What rebuilds hold, and what they left."""
    held = holds(client)
    for one in held:
        yield fail(str(one), "if none runs, `vipcare migrate` lets them go on")
    beside = [
        name for name in leftovers(client) if table_of(name) not in {one.table for one in held}
    ]
    for table in dict.fromkeys(map(table_of, beside)):
        yield warn(
            f"tables of a rebuild of {table} stand beside it and take room",
            f"if none runs, the next `vipcare sink rebuild {table}` drops them",
        )


def clock(examined: Examined) -> Iterator[Finding]:
    """ClickHouse's clock against this machine's."""
    with client_of(clickhouse_address(examined.settings.clickhouse), "") as client:
        client.execute("SELECT 1")  # connects
        before = time.time()
        ((theirs,),) = client.execute("SELECT toUnixTimestamp64Milli(now64(3))")
        after = time.time()
    yield skew("ClickHouse", theirs / 1_000 - (before + after) / 2)


def skew(who: str, seconds: float) -> Finding:
    """`seconds`: how far `who` is ahead of this machine."""
    if abs(seconds) < SKEW_WARN_S:
        return ok(f"{who}'s clock is {abs(seconds):.2f} s from this machine's")
    way = "ahead of" if seconds > 0 else "behind"
    what = f"{who}'s clock is {abs(seconds):,.0f} s {way} this machine's"
    advice = "have both follow a time server: events ahead of the clock are refused"
    return fail(what, advice) if abs(seconds) >= SKEW_FAIL_S else warn(what, advice)


def disk(examined: Examined) -> Iterator[Finding]:
    with client_of(clickhouse_address(examined.settings.clickhouse), "") as client:
        disks = client.execute("SELECT name, free_space, total_space FROM system.disks")
    for name, free, total in disks:
        yield room(f"ClickHouse's disk {name}", free, total)


def room(where: str, free: int, total: int) -> Finding:
    """Bytes."""
    share = free / total if total else 1.0
    what = f"{where} has {free / 1e9:,.1f} GB free, {share:.0%}"
    if share >= FREE_WARN:
        return ok(what)
    advice = "make room, or give it a larger disk"
    return fail(what, advice) if share < FREE_FAIL else warn(what, advice)
