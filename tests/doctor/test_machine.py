"""A worker's folder, limits, attributes and rules; thresholds of room and of clocks."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agents.doctor.checks import CHECKS
from agents.doctor.clickhouse import room, skew
from agents.doctor.examine import examine
from agents.doctor.finding import Examined, Verdict
from agents.doctor.machine import (
    attributes,
    calendar,
    file_system,
    machine,
    memory_limit,
    rules,
    store,
)
from tests.doctor.looking import found, settings_with, the_only
from tests.ports import free_port

OK, WARN, FAIL = Verdict
MOUNTS = """\
overlay / overlay rw 0 0
proc /proc proc rw 0 0
/dev/vda /var/lib/vipcare ext4 rw 0 0
filer:/bank /var/lib/vipcare/shared nfs4 rw 0 0
/dev/vdb /with\\040space xfs rw 0 0
tmpfs /with\\040space tmpfs rw 0 0
"""


def test_a_folder_that_can_be_used(tmp_path: Path) -> None:
    data = tmp_path / "not" / "made" / "yet"
    findings = found(store, settings_with(worker={"data": data}))
    assert f"worker.data {data} has " in findings[0].what
    assert not data.exists()
    assert not any(finding.verdict is FAIL and "written" in finding.what for finding in findings)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = settings_with(worker={"data": tmp_path / "file"})
    the_only(found(store, settings), FAIL, "is no folder")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is a folder that takes no file")
def test_a_folder_that_takes_no_file() -> None:
    settings = settings_with(worker={"data": "/proc/vipcare"})
    the_only(found(store, settings), FAIL, "nothing can be written")


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv", "overlay"),
        ("/var/lib/vipcare/worker", "ext4"),
        ("/var/lib/vipcare/shared/worker", "nfs4"),
        ("/with space/worker", "tmpfs"),
    ],
)
def test_the_file_system_of_a_folder(folder: str, kind: str) -> None:
    assert file_system(Path(folder), MOUNTS) == kind


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="a tmpfs that Linux has")
def test_a_folder_in_memory() -> None:
    settings = settings_with(worker={"data": "/dev/shm/vipcare"})
    the_only(found(store, settings), WARN, "is on tmpfs")


def test_a_folder_that_others_can_read() -> None:
    with TemporaryDirectory() as above:  # pytest's own lets nobody through
        data = Path(above) / "a b"
        data.mkdir(mode=0o755)
        settings = settings_with(worker={"data": data})
        words = "others on this machine can read"
        assert not any(words in finding.what for finding in found(store, settings))
        Path(above).chmod(0o755)
        warned = the_only(found(store, settings), WARN, words)
        assert warned.advice == f"chmod -R go= '{data}'"
        data.chmod(0o700)
        assert not any(words in finding.what for finding in found(store, settings))


@pytest.mark.parametrize(("free", "verdict"), [(500, OK), (149, WARN), (31, WARN), (29, FAIL)])
def test_room(free: int, verdict: Verdict) -> None:
    assert room("a disk", free, 1_000).verdict is verdict


@pytest.mark.parametrize(
    ("seconds", "verdict", "words"),
    [
        (0.2, OK, "0.20 s from"),
        (-1.9, OK, "1.90 s from"),
        (2.5, WARN, "ahead of"),
        (-59.0, WARN, "59 s behind"),
        (3_600.0, FAIL, "3,600 s ahead of"),
    ],
)
def test_skew(seconds: float, verdict: Verdict, words: str) -> None:
    finding = skew("Kafka", seconds)
    assert finding.verdict is verdict
    assert words in finding.what


def test_a_cache_larger_than_the_memory() -> None:
    settings = settings_with(worker={"cache_bytes": memory_limit()})
    the_only(found(machine, settings), WARN, "worker.cache_bytes is")


def test_rules_where_no_register_can_be_read(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    the_only(found(rules, settings_with(nowhere)), OK, "the rules that are shipped")
    (tmp_path / "broken.yaml").write_text("id: broken\nwhen: 1 +\n")
    findings = found(rules, settings_with(nowhere, worker={"rules": tmp_path}))
    assert findings
    assert {finding.verdict for finding in findings} == {FAIL}
    assert "broken.yaml:" in findings[0].what


def test_attributes(tmp_path: Path) -> None:
    the_only(found(attributes, settings_with()), OK, "the attributes that are shipped")
    file = tmp_path / "bank.yaml"
    absent = settings_with(step={"attributes": file})
    the_only(found(attributes, absent), FAIL, "bank.yaml:1:1: cannot be read")
    file.write_text("attributes:\n  - nmae: hobby\n")
    findings = found(attributes, absent)
    assert {finding.verdict for finding in findings} == {FAIL}
    assert "bank.yaml:2:" in findings[0].what
    assert "vipcare attributes check" in findings[0].advice


def test_calendar(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    ours = settings_with(step={"calendar": file})
    the_only(found(calendar, ours), FAIL, "ours.yaml:1:1: cannot be read")
    told = "title: {en: A, zh: 甲}\nyears: {first: 1900, announced: 2100, last: 2100}\nholidays: []"
    file.write_text(told)
    the_only(found(calendar, ours), OK, "the calendar of ")
    file.write_text(told.replace("announced: 2100", "announced: 1900"))
    warned = the_only(found(calendar, ours), WARN, "what is announced for it")
    assert "renew the calendar" in warned.advice


def test_a_wrong_file_of_attributes_is_told_once(tmp_path: Path) -> None:
    """The rules are read with the attributes."""
    settings = settings_with(step={"attributes": tmp_path / "absent.yaml"})
    both = [check for check in CHECKS if check.name in ("attributes", "rules")]
    report = examine(both, Examined(settings), 20)
    the_only(report.findings["attributes"], FAIL, "absent.yaml")
    assert report.skipped == {"rules": "attributes"}
