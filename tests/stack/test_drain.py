"""A drain may take as long as it gets on, and is given up where it stands still."""

from agents.local.drain import Progress


def test_what_gets_less_does_not_stand_still() -> None:
    progress = Progress(0.0, 60.0)
    assert not progress.stands_still(500_000, 1.0)
    assert not progress.stands_still(400_000, 60.0)
    assert not progress.stands_still(1, 119.0)
    assert not progress.stands_still(1, 179.0)
    assert progress.stands_still(1, 180.0)
    assert progress.least == 1


def test_what_becomes_more_again_or_is_unknown_stands_still() -> None:
    progress = Progress(0.0, 60.0)
    assert not progress.stands_still(10, 1.0)
    assert not progress.stands_still(20, 30.0)
    assert not progress.stands_still(None, 60.0)
    assert progress.stands_still(11, 62.0)
    assert progress.least == 10


def test_where_nobody_ever_knows_it_is_given_up_too() -> None:
    progress = Progress(0.0, 60.0)
    assert not progress.stands_still(None, 60.0)
    assert progress.stands_still(None, 61.0)
    assert progress.least == 0
