"""Is this machine fit for a worker: store, limits, attributes, calendar and rules?"""

import os
import resource
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from agents.calendar_gap import calendar_gap
from agents.core import declared_attributes, rule_set
from agents.doctor.clickhouse import room
from agents.doctor.finding import Examined, Finding, fail, ok, warn
from agents.reading import ReadingError
from agents.register import isolation, left_out, newest_rules, read_register, source_of
from config.load_attributes import AttributeFileErrors
from config.load_calendar import CalendarFileErrors
from config.load_greetings import GreetingFileErrors
from config.load_rules import RuleFileErrors
from config.placed_yaml import FileErrors
from config.settings import Settings
from schemas.rule_register import RULES_TOPIC
from sinks.private_folder import is_private
from streams.rules.register import RegisterError, RuleBook
from streams.rules.ruleset import RuleSet

FILES = 4_096
"""What RocksDB and two Kafka clients may open with dozens of partitions."""
_MOUNTS = Path("/proc/mounts")
_CGROUP = Path("/sys/fs/cgroup/memory.max")
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse")
_FLEETING = ("tmpfs", "ramfs", "overlay")
_MOST_PROBLEMS = 10
_WRITTEN = (
    f"see who writes to {RULES_TOPIC} but `vipcare rules`, and send what was meant with that: what "
    "was there is brought back by the next `publish` (of any rule) or `approve`"
)

_RAISES = "correct the rule: its next version is not isolated"


def store(examined: Examined) -> Iterator[Finding]:
    """The folder that holds RocksDB."""
    folder = examined.settings.worker.data
    place = _nearest(folder)
    advice = "set VIPCARE_WORKER__DATA to a folder of this worker's own, on a local disk"
    if not place.is_dir():
        yield fail(f"worker.data {folder}: {place} is no folder", advice)
        return
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        yield fail(f"worker.data {folder}: nothing can be written ({error.strerror})", advice)
        return
    if folder.exists() and not is_private(folder):
        yield warn(
            f"worker.data {folder}: others on this machine can read customers' data in it",
            f"chmod -R go= {shlex.quote(str(folder))}",
        )
    usage = shutil.disk_usage(place)
    yield room(f"worker.data {folder}", usage.free, usage.total)
    kind = file_system(place, _MOUNTS.read_text() if _MOUNTS.exists() else "")
    if kind.partition(".")[0] in _REMOTE:
        yield fail(f"worker.data {folder} is on a file system over the network ({kind})", advice)
    elif kind in _FLEETING:
        yield warn(
            f"worker.data {folder} is on {kind}: it goes with the container or the machine",
            "give it a volume; without, every start restores all records from the changelog",
        )


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    return next(
        place for place in (folder.absolute(), *folder.absolute().parents) if place.exists()
    )


def file_system(place: Path, mounts: str) -> str:
    """The kind of file system of a folder; empty if `mounts` (/proc/mounts) does not say."""
    resolved = place.resolve()
    kinds = {}
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split(" ")
        kinds[Path(point.replace("\\040", " "))] = kind  # a later mount hides an earlier one
    above = (kinds.get(one) for one in (resolved, *resolved.parents))
    return next(filter(None, above), "")


def machine(examined: Examined) -> Iterator[Finding]:
    """What the system allows a process."""
    problems = []
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < FILES:
        problems.append(
            warn(f"a process may open {files:,} files", f"allow {FILES:,} (ulimit -n, LimitNOFILE)")
        )
    cache, memory = examined.settings.worker.cache_bytes, memory_limit()
    if cache > memory / 2:
        problems.append(
            warn(
                f"worker.cache_bytes is {cache / 1e9:.1f} GB of {memory / 1e9:.1f} GB of memory",
                "lower VIPCARE_WORKER__CACHE_BYTES to less than half: it is not all that is needed",
            )
        )
    yield from problems
    if not problems:
        yield ok(f"{files:,} files and {memory / 1e9:.1f} GB of memory for a process")


def memory_limit() -> int:
    """Bytes: of the machine, or of the container if that is less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    told = _CGROUP.read_text().strip() if _CGROUP.exists() else ""
    return min(whole, int(told)) if told.isdecimal() else whole


def attributes(examined: Examined) -> Iterator[Finding]:
    path = examined.settings.step.attributes
    try:
        declared_attributes(examined.settings)
    except AttributeFileErrors as errors:
        yield from _wrong(errors, "`vipcare attributes check`")
    else:
        yield ok(f"the attributes of {path}" if path else "the attributes that are shipped")


def calendar(examined: Examined) -> Iterator[Finding]:
    path = examined.settings.step.calendar
    try:
        gap = calendar_gap(examined.settings)
    except CalendarFileErrors as errors:
        yield from _wrong(errors, "`vipcare calendar check`")
        return
    if gap:
        yield warn(gap, "renew the calendar: config/README.md says how")
    else:
        yield ok(f"the calendar of {path}" if path else "the calendar that is shipped")


def rules(examined: Examined) -> Iterator[Finding]:
    """Those that are in force: of the register, or while that is empty of files. Where it cannot be
    read, what is asked of Kafka tells."""
    settings = examined.settings
    try:
        book = read_register(settings.kafka)
    except ReadingError:
        yield from _rules_of_files(settings, RuleBook())
        return
    yield from (warn(one, _WRITTEN) for one in left_out(book)[:_MOST_PROBLEMS])
    if book.state.active is None:
        yield from _rules_of_files(settings, book)
        return
    try:
        rules = newest_rules(book, settings)
    except RegisterError as error:
        advice = "put in force what can be: `vipcare rules rollback`, `vipcare rules approve`"
        yield fail(str(error), advice)
    else:
        yield ok(f"{rules.running} rules {source_of(book.state)}")
        yield from _isolated(rules, book)


def _isolated(rules: RuleSet, book: RuleBook) -> Iterator[Finding]:
    """Those in force; of another version it is over."""
    for rule in rules.definitions:
        if (told := book.isolations.get((rule.id, rule.version))) is not None:
            yield warn(f"rule {rule.id}@{rule.version} is {isolation(told)}", _RAISES)


def _rules_of_files(settings: Settings, book: RuleBook) -> Iterator[Finding]:
    folder = settings.worker.rules
    try:
        rules = rule_set(settings)
    except (RuleFileErrors, GreetingFileErrors) as errors:
        yield from _wrong(errors, "`vipcare rules check`")
    else:
        yield ok(f"the rules of {folder}" if folder else "the rules that are shipped")
        yield from _isolated(rules, book)


def _wrong(errors: FileErrors, command: str) -> Iterator[Finding]:
    for problem in errors.problems[:_MOST_PROBLEMS]:
        yield fail(str(problem), f"a worker does not start with it; {command} shows all")
