"""Shares that are kept to the event: what goes wrong does so evenly, and as often as was asked."""


class Share:
    """Of things that come one by one, so many are picked: 0.01 is every hundredth."""

    __slots__ = ("_owed", "_share")

    def __init__(self, share: float, begin: float) -> None:
        """`begin` is between 0 and 1: how soon the first is picked."""
        self._share = share
        self._owed = begin

    def count(self) -> None:
        """One more thing has come."""
        self._owed += self._share

    def pick(self) -> bool:
        """Whether one is to be picked now; then it is."""
        if self._owed < 1:
            return False
        self._owed -= 1
        return True
