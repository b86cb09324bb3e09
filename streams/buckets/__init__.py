"""What one bucket of a window holds: counts, totals, squares, extremes, first or distinct values.

A window's state is `[cut, indices, cells, …]` (see streams/windows.py): the lists of cells stand
beside the list of bucket indices. Values are integers (a Decimal scaled, see scale), so sums
are exact; one beyond 64 bits, which msgpack does not have, is kept as text.
"""

from streams.buckets.distinct import Distinct
from streams.buckets.ends import Ends
from streams.buckets.extremes import Extremes
from streams.buckets.sums import Counts, Squares, Totals

KEPT_FOR_GOOD = 1
"""Values a bucket keeps for first and last of events that nothing takes back."""
KEPT_REPLAYED = 8
"""The same where rules that can be amended look at them: those take out and play again."""

COUNTS = Counts()
TOTALS = Totals()
MINIMUM = Extremes("min", 1)
MAXIMUM = Extremes("max", -1)
DISTINCT = Distinct()
SQUARES = Squares()
FIRST = Ends("first", 0)
LAST = Ends("last", -1)
REPLAYED = {one.name: Ends(one.name, one.end, KEPT_REPLAYED) for one in (FIRST, LAST)}
FOR_GOOD = {one.name: Ends(one.name, one.end, KEPT_FOR_GOOD) for one in (FIRST, LAST)}
FOR_GOOD_BUT_ONE = {one.name: Ends(one.name, one.end, KEPT_FOR_GOOD + 1) for one in (FIRST, LAST)}
"""Where what was before an event is asked for."""
