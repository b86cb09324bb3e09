"""The data folder of `vipcare up`: one user at a time; only what we made is deleted."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.local.folder_lock import FolderError
from agents.local.run_folder import MARKER, RunFolder

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _run(root: Path, number: int) -> Path:
    with RunFolder(root, fresh=True, now=NOW + timedelta(minutes=number)) as folder:
        (folder.path / "some.data").write_text("rows")
        return folder.path


def test_the_last_run_is_kept_and_older_ones_are_deleted(tmp_path: Path) -> None:
    first, second, third = (_run(tmp_path, number) for number in range(3))
    assert not first.exists()
    assert (second / "some.data").exists()
    assert (third / "some.data").exists()


def test_nobody_else_opens_a_run(tmp_path: Path) -> None:
    root = tmp_path / "data"
    run = _run(root, 0)
    assert (root.stat().st_mode & 0o777, run.stat().st_mode & 0o777) == (0o700, 0o700)
    root.chmod(0o750)
    assert _run(root, 1).stat().st_mode & 0o777 == 0o700
    assert root.stat().st_mode & 0o777 == 0o750, "as its owner wants it"


def test_folders_without_our_marker_are_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "run-19990101-000000"
    theirs.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / MARKER).touch()
    (tmp_path / "run-19990101-000001").symlink_to(elsewhere)
    for number in range(3):
        _run(tmp_path, number)
    assert theirs.is_dir()
    assert elsewhere.is_dir()


def test_a_folder_in_use_is_refused_in_one_line(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path, fresh=True, now=NOW),
        pytest.raises(FolderError, match=r"another vipcare up \(process \d+\)") as refusal,
        RunFolder(tmp_path, fresh=True, now=NOW),
    ):
        pass
    assert "\n" not in str(refusal.value)
    assert _run(tmp_path, 1).is_dir()


def test_runs_of_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    assert _run(tmp_path, 0) != _run(tmp_path, 0)


def test_data_on_another_broker_stays_in_one_folder(tmp_path: Path) -> None:
    for _ in range(3):
        with RunFolder(tmp_path, fresh=False, now=NOW) as folder:
            assert folder.path == tmp_path / "kept"


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(FolderError, match=r"data folder .*file: "),
        RunFolder(tmp_path / "file", fresh=True, now=NOW),
    ):
        pass


def test_another_shell_reads_what_belongs_to_the_run(tmp_path: Path) -> None:
    told = {"VIPCARE_A": "1", "VIPCARE_B": "it's $HOME"}
    with RunFolder(tmp_path, fresh=True, now=NOW) as folder:
        path = folder.tell(told)
        said = subprocess.check_output(["sh", "-c", f". {path}; env"], text=True)
    assert {f"{name}={value}" for name, value in told.items()} <= set(said.splitlines())
    assert not path.exists(), "its addresses are nobody's now"
