"""The limit on refused events, against a twin that keeps a list of the last ones."""

from collections.abc import Sequence
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letters import DeadLetter, Reason, dead_letter
from schemas.place import Place
from schemas.position import Position, Refusals, decode_position, encode_position
from streams.inputs import Raw
from streams.intake import Entry
from streams.refusals import Excess, Limit, judge

Verdict = tuple[str, bool | None]
"""A topic, and whether its event was refused; None: it is of an unknown type."""
TOPICS = ("bank.app", "bank.core", "vip.internal")
LIMIT = Limit(window=20, share=0.5, minimum=5)

UNKNOWN = None
verdicts = st.lists(
    st.tuples(st.sampled_from(TOPICS), st.sampled_from([False, True, UNKNOWN])), max_size=120
)
limits = st.builds(
    Limit,
    window=st.integers(1, 40),
    share=st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0]),
    minimum=st.integers(1, 12),
)


class Topics:
    """Chunks of verdicts, judged one after the other; offsets go on from chunk to chunk."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.after: dict[str, Refusals] = {}
        self.offsets = dict.fromkeys(TOPICS, 0)

    def chunk(self, some: Sequence[Verdict], first: Place | None = None) -> Excess | None:
        entries, letters = [], []
        for topic, refused in some:
            offset = self.offsets[topic]
            self.offsets[topic] += 1
            raw = Raw(topic, 3, offset, b"C1", b"{}", first)
            entries.append(Entry(raw, unknown="page.moved" if refused is UNKNOWN else ""))
            if refused:
                letters.append(letter_of(topic, offset, str(first or "")))
        after, excess = judge(self.after, entries, letters, self.limit)
        if excess is None:
            self.after = after
        return excess


def letter_of(topic: str, offset: int, first: str = "") -> DeadLetter:
    return dead_letter(
        Reason.BROKEN, "why", topic=topic, partition=3, offset=offset, key=b"C1", value=b"{}",
        first=first,
    )  # fmt: skip


def twin(some: Sequence[Verdict], limit: Limit) -> dict[str, tuple[int, int, int] | None]:
    """Topic → of its first event beyond the limit: offset, refused and events of its window."""
    found: dict[str, tuple[int, int, int] | None] = {}
    for topic in TOPICS:
        found[topic] = None
        judged: list[bool] = []
        for offset, refused in enumerate(of(topic, some)):
            if refused is UNKNOWN:
                continue
            judged.append(refused)
            last = judged[-limit.window :]
            enough = max(limit.minimum, ceil(limit.share * len(last)))
            if refused and sum(last) >= enough:
                found[topic] = offset, sum(last), len(last)
                break
    return found


def of(topic: str, some: Sequence[Verdict]) -> list[bool | None]:
    return [refused for name, refused in some if name == topic]


def split(some: Sequence[Verdict], sizes: Sequence[int]) -> list[Sequence[Verdict]]:
    chunks = []
    while some:
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(some[:size])
        some = some[size:]
    return chunks


@given(verdicts, limits, st.lists(st.integers(1, 30), min_size=1))
def test_the_limit_is_that_of_a_list(some: list[Verdict], limit: Limit, sizes: list[int]) -> None:
    """Wherever chunks end, the same event of a topic is the first beyond the limit."""
    expected, topics = twin(some, limit), Topics(limit)
    for chunk in split(some, sizes):
        begun = dict(topics.offsets)
        excess = topics.chunk(chunk)
        over = {
            topic: what
            for topic, what in expected.items()
            if what is not None and what[0] < topics.offsets[topic]
        }
        if excess is None:
            assert not over
            continue
        _, refused, events = over[excess.topic] or (0, 0, 0)
        assert (excess.refused, excess.events) == (refused, events)
        assert excess.first.offset >= begun[excess.topic]
        return
    assert not any(expected.values())
    for topic in TOPICS:
        last = [one for one in of(topic, some) if one is not UNKNOWN][-limit.window :]
        seen = topics.after.get(topic, Refusals())
        assert (seen.events, int(seen.bits or "0", 16).bit_count()) == (len(last), sum(last))


@given(verdicts, st.lists(st.integers(1, 30), min_size=1))
def test_a_restart_with_the_position_changes_nothing(some: list[Verdict], sizes: list[int]) -> None:
    whole, restarted = Topics(LIMIT), Topics(LIMIT)
    for chunk in split(some, sizes):
        excess = whole.chunk(chunk)
        position = Position(
            partition=3, number=1, ranges={}, now=0, rules="", refusals=restarted.after
        )
        restarted.after = decode_position(encode_position(position)).refusals
        assert restarted.chunk(chunk) == excess
        if excess:
            return


def test_a_restart_at_any_chunk_lets_no_more_through() -> None:
    """A supervisor that starts the worker again and again, chunks of one event: the limit holds."""
    topics, buried = Topics(LIMIT), 0
    for _ in range(100):
        if topics.chunk([("bank.app", True)]) is None:
            buried += 1
        else:
            topics.offsets["bank.app"] -= 1  # not committed: the same event comes again
    assert buried == LIMIT.minimum - 1


def test_a_few_refused_ones_never_stop_anything() -> None:
    topics = Topics(LIMIT)
    for _ in range(100):
        few = [("bank.app", n % 3 == 0) for n in range(30)]
        assert topics.chunk(few) is None
    assert Topics(LIMIT).chunk([("bank.app", True)] * 4) is None


def test_what_it_says() -> None:
    topics = Topics(LIMIT)
    assert topics.chunk([("bank.app", False), *[("bank.app", True)] * 3]) is None
    excess = topics.chunk([("bank.core", True), *[("bank.app", True)] * 9])
    assert excess is not None
    assert (excess.topic, excess.partition) == ("bank.app", 3)
    assert (excess.refused, excess.events, excess.buried) == (5, 6, 3)
    assert (excess.first.offset, excess.reasons) == (4, {Reason.BROKEN: 2})


def test_replayed_letters_empty_nothing() -> None:
    topics = Topics(LIMIT)
    replayed = [("vip.internal", True)]
    assert topics.chunk(replayed * 50, Place("bank.core", 1, 2)) is None
    assert topics.after == {}
    assert topics.chunk(replayed * 4) is None
    assert topics.chunk(replayed * 50, Place("bank.core", 1, 2)) is None
    assert topics.chunk(replayed) is not None


@pytest.mark.parametrize("unknown", [1, 100])
def test_unknown_types_do_not_hide_that_all_the_others_are_refused(unknown: int) -> None:
    """A bank's topic holds what it sends for others, too: skipped, neither good nor refused."""
    topics = Topics(LIMIT)
    assert topics.chunk([("bank.app", UNKNOWN)] * 10 * LIMIT.window) is None
    assert topics.after == {}
    among = [*[("bank.app", UNKNOWN)] * unknown, ("bank.app", True)]
    for _ in range(LIMIT.minimum - 1):
        assert topics.chunk(among) is None
    excess = topics.chunk(among)
    assert excess is not None
    assert excess.refused == excess.events == LIMIT.minimum


def test_an_accepted_topic_is_not_judged_and_begins_anew_afterwards() -> None:
    topics = Topics(LIMIT)
    topics.chunk([("bank.app", True)] * 4)
    topics.limit = Limit(window=20, share=0.5, minimum=5, accepted=frozenset(["bank.app"]))
    assert topics.chunk([("bank.app", True)] * 50) is None
    topics.limit = LIMIT
    assert topics.chunk([("bank.app", True)] * 4) is None
    assert topics.chunk([("bank.app", True)]) is not None


@pytest.mark.parametrize("window", [10, 40])
def test_another_window_takes_over_what_is_remembered(window: int) -> None:
    topics = Topics(LIMIT)
    topics.chunk([("bank.app", False)] * 20 + [("bank.app", True)] * 4)
    topics.limit = Limit(window=window, share=0.5, minimum=5)
    excess = topics.chunk([("bank.app", True)])
    assert (excess is not None) == (window == 10)
