"""A contender's process as Linux shows it: CPU, memory, threads, connections."""

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_ESTABLISHED = "01"


class Seen(NamedTuple):
    cpu_seconds: float
    """User and system, since it began."""
    rss_bytes: int
    threads: int


def look(pid: int) -> Seen | None:
    """None where there is no /proc, or no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # After the name in brackets, which may hold spaces: the fields from the third on.
    fields = text.rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / _TICKS
    return Seen(cpu, int(fields[21]) * os.sysconf("SC_PAGE_SIZE"), int(fields[17]))


def connections(pid: int, port: int) -> int | None:
    """Its connections to a port of this machine; None where that cannot be read."""
    try:
        table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        handles = [handle.readlink().name for handle in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return None
    mine = {handle[len("socket:[") : -1] for handle in handles if handle.startswith("socket:[")}
    count = 0
    for line in table.splitlines():
        fields = line.split()
        if len(fields) > 9 and fields[3] == _ESTABLISHED and fields[9] in mine:
            count += int(fields[2].rpartition(":")[2], 16) == port
    return count


def end(process: "subprocess.Popen[bytes]", seconds: float = 15.0) -> None:
    """Ask it to end; make it, where it takes too long."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
