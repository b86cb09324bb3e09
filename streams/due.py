"""Which customers have timers due: the plain twin of the lane's index, for the oracle."""

from heapq import heappop, heappush

from schemas.profile import NEVER


class DueList:
    """Customers by their earliest timer, in memory."""

    def __init__(self) -> None:
        self._due: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def change(self, customer: str, due: int) -> None:
        """Take note of a customer's earliest timer (epoch milliseconds), or NEVER."""
        if self._due.get(customer, NEVER) == due:
            return
        self._due[customer] = due
        if due != NEVER:
            heappush(self._heap, (due, customer))

    def take(self, until: int, limit: int) -> list[str]:
        """The first customers that are due by `until`, by (due, customer)."""
        taken: list[str] = []
        while self._heap and len(taken) < limit and self._heap[0][0] <= until:
            due, customer = heappop(self._heap)
            if self._due.get(customer) == due:
                self._due[customer] = NEVER  # until it is told anew
                taken.append(customer)
        return taken
