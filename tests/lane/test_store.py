"""The local copy: written whole with its mark, wiped when outside of the changelog."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.clock import real_millis
from agents.lane.store import MARK_KEY, Mark, StoreClosedError, Stores
from schemas.position import POSITION_KEY, Position, encode_position

HOUR_MS = 3_600_000


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path / "data")


def test_what_was_written_is_there_after_a_reopen(stores: Stores, tmp_path: Path) -> None:
    position = Position(partition=3, number=1, ranges={}, now=0, rules="")
    changes = [(b"a", b"1"), (b"b", b"2"), (POSITION_KEY, encode_position(position))]
    stores.open(3).write(changes, "id", 7)
    stores.open(3).write([(b"b", None)], "id", 9)
    stores.close()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700, "it holds customers' data"
    again = Stores(tmp_path / "data").open(3)
    assert (again.get(b"a"), again.get(b"b")) == (b"1", None)
    assert again.position() == position
    mark = again.mark()
    assert mark is not None
    assert (mark.topic_id, mark.offset) == ("id", 9)


@settings(deadline=None)  # opens databases, on whatever disk
@given(offset=st.integers(0, 20), earliest=st.integers(0, 20), end=st.none() | st.integers(0, 20))
def test_a_copy_is_usable_within_its_changelog(
    tmp_path_factory: pytest.TempPathFactory, offset: int, earliest: int, end: int | None
) -> None:
    store = Stores(tmp_path_factory.mktemp("s")).open(0)
    assert not store.usable("id", earliest, end, HOUR_MS)
    store.write([], "id", offset)
    within = offset >= earliest - 1 and (end is None or offset < end)
    assert store.usable("id", earliest, end, HOUR_MS) == within
    assert not store.usable("another", earliest, end, HOUR_MS)
    store.close()


def test_an_old_copy_may_have_missed_a_removal(stores: Stores) -> None:
    """Old is since when it lacked nothing; what was written to it later does not count."""
    store = stores.open(0)
    store.write([], "id", 5, as_of=real_millis() - 2 * HOUR_MS)
    assert not store.usable("id", 0, 6, HOUR_MS)
    assert store.usable("id", 0, 6, 3 * HOUR_MS)
    store.confirm()
    assert store.usable("id", 0, 6, HOUR_MS)
    mark = store.mark()
    assert mark is not None
    assert mark.offset == 5


def test_only_what_is_marked_and_open_can_be_confirmed(stores: Stores) -> None:
    store = stores.open(0)
    store.confirm()
    assert store.empty, "without a mark it holds nothing that could be confirmed"
    stores.close()
    store.confirm()


def test_a_mark_of_another_version_is_none(stores: Stores) -> None:
    store = stores.open(0)
    store.write([], "id", 5)
    assert store._db is not None
    store._db.put(MARK_KEY, b'{"topic_id": "id", "offset": 5, "written": 3}')
    assert store.mark() is None
    assert not store.usable("id", 0, 6, HOUR_MS)
    assert not store.empty


def test_a_wiped_store_is_empty_and_works(stores: Stores) -> None:
    store = stores.open(0)
    store.write([(b"a", b"1")], "id", 5)
    store.wipe()
    assert store.mark() is None
    assert store.get(b"a") is None
    store.write([(b"a", b"2")], "id", 6)
    assert store.get(b"a") == b"2"


def test_a_closed_store_takes_nothing_and_frees_its_folder(stores: Stores, tmp_path: Path) -> None:
    store = stores.open(0)
    with pytest.raises(Exception, match="lock"):
        Stores(tmp_path / "data").open(0)
    stores.close([0])
    with pytest.raises(StoreClosedError):
        store.write([(b"a", b"1")], "id", 5)
    assert Stores(tmp_path / "data").open(0).mark() is None


def test_a_mark_is_as_of_now_unless_told(stores: Stores) -> None:
    store = stores.open(0)
    store.write([], "id", 5)
    mark = store.mark()
    assert isinstance(mark, Mark)
    assert mark.as_of > 1_700_000_000_000


@pytest.mark.parametrize("lost", ["CURRENT", "MANIFEST-*", "*.sst"])
def test_a_copy_that_lacks_files_begins_anew(stores: Stores, tmp_path: Path, lost: str) -> None:
    for number in range(3):
        stores.open(0).write([(b"a", b"%d" % number)], "id", number)
        stores.close()  # writes its file
    gone = list((tmp_path / "data" / "customers-0").glob(lost))
    assert gone
    for path in gone:
        path.unlink()
    store = stores.open(0)
    assert store.mark() is None
    store.write([(b"a", b"9")], "id", 9)
    assert store.get(b"a") == b"9"


def test_what_is_in_use_is_not_taken_for_broken(stores: Stores, tmp_path: Path) -> None:
    stores.open(0).write([(b"a", b"1")], "id", 1)
    with pytest.raises(Exception, match="lock"):
        Stores(tmp_path / "data").open(0)
    assert stores.open(0).get(b"a") == b"1"
