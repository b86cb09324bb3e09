"""The packed ids of recent events against a plain list."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from streams import duplicates
from streams.duplicates import Verdict

names = st.sampled_from([struct.pack(">Q", n) for n in (0, 1, 256, 1 << 56, (1 << 64) - 1)])
contents = st.sampled_from([struct.pack(">I", n) for n in (0, 1, 256)])
arrivals = st.lists(st.tuples(names, contents, st.integers(0, 10_000_000)), max_size=40)


class PlainList:
    """The simple twin."""

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.entries: list[tuple[bytes, bytes, int]] = []

    def judge(self, name: bytes, content: bytes) -> Verdict:
        for known, said, _ in self.entries:
            if known == name:
                return Verdict.DUPLICATE if said == content else Verdict.CONFLICT
        return Verdict.NEW

    def remember(self, name: bytes, content: bytes, at: int, oldest: int) -> None:
        self.entries = self.entries[-(self.kept - 1) :] if self.kept > 1 else []
        while self.entries and self.entries[0][2] // 1000 < oldest // 1000:
            del self.entries[0]
        self.entries.append((name, content, at))


@given(arrivals, st.integers(1, 12), st.integers(0, 5_000_000))
def test_packed_is_the_plain_list(
    arrivals: list[tuple[bytes, bytes, int]], kept: int, span: int
) -> None:
    packed, twin = bytearray(), PlainList(kept)
    for name, content, at in arrivals:
        verdict = duplicates.judge(packed, name + content)
        assert verdict is twin.judge(name, content)
        if verdict is Verdict.NEW:
            oldest = at - span
            duplicates.remember(packed, name + content, at, kept, oldest)
            twin.remember(name, content, at, oldest)
        assert len(packed) == 16 * len(twin.entries) <= 16 * kept
