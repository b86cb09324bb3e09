"""What waits for a chunk comes out whole, once, in each topic's order, within the limits."""

from hypothesis import given
from hypothesis import strategies as st

from agents.lane.inbox import Inbox
from streams.context import Context, CoreSettings
from streams.inputs import Raw
from streams.intake import read

TOPICS = ("bank.app", "bank.core")
CORE = CoreSettings(partitions=1)
CONTEXT = Context(now=2_000_000_000_000, rules=CORE.compiled([]), settings=CORE)


@given(st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(1, 9)), max_size=30))
def test_chunks_are_prefixes_within_the_limits(batches: list[tuple[str, int]]) -> None:
    inbox = Inbox(TOPICS, chunk_events=7, chunk_bytes=200)
    offered: dict[str, list[int]] = {topic: [] for topic in TOPICS}
    taken: dict[str, list[int]] = {topic: [] for topic in TOPICS}
    for topic, count in batches:
        following = len(offered[topic])
        offsets = range(following, following + count)
        inbox.add(topic, [read(Raw(topic, 0, at, b"k", b"x" * 20), CORE) for at in offsets])
        offered[topic] += offsets
        waits = {name: len(offered[name]) - len(taken[name]) for name in TOPICS}
        assert inbox.room(topic) == (waits[topic] * 2 < 7)
        assert inbox.full == (sum(waits.values()) >= 7 or max(waits.values()) * 2 >= 7)
        if inbox.full:
            chunk = inbox.take(CONTEXT)
            assert len(chunk) == min(7, sum(waits.values()))
            for entry in chunk:
                taken[entry.raw.topic].append(entry.raw.offset)
    while not inbox.empty:
        for entry in inbox.take(CONTEXT):
            taken[entry.raw.topic].append(entry.raw.offset)
    assert taken == offered


def test_a_chunk_ends_with_what_is_held_of_a_topic_that_has_more() -> None:
    inbox = Inbox(TOPICS, chunk_events=100, chunk_bytes=1_000)
    for topic, count in zip(TOPICS, (2, 5), strict=True):
        inbox.add(topic, [read(Raw(topic, 0, at, b"k", b"x"), CORE) for at in range(count)])
    assert inbox.held == {*TOPICS}
    # What is broken has no time of its own: then the topic decides.
    assert [entry.raw.topic for entry in inbox.take(CONTEXT, {"bank.app"})] == ["bank.app"] * 2
    assert inbox.held == {"bank.core"}
    assert len(inbox.take(CONTEXT, {"bank.app"})) == 5
    assert inbox.held == set()


def test_a_chunk_is_short_while_less_is_held_than_the_last_one_took() -> None:
    inbox = Inbox(TOPICS, chunk_events=6, chunk_bytes=1_000)

    def come(**counts: int) -> None:
        for topic, count in counts.items():
            some = [read(Raw(f"bank.{topic}", 0, at, b"k", b"x"), CORE) for at in range(count)]
            inbox.add(f"bank.{topic}", some)

    come(app=3, core=3)
    assert not inbox.short({*TOPICS}), "nothing was taken yet"
    assert len(inbox.take(CONTEXT)) == 6
    come(app=2, core=3)
    assert inbox.short({*TOPICS})
    assert not inbox.short({"bank.core"}), "there is no more to come of the other"
    assert len(inbox.take(CONTEXT, {"bank.app"})) == 2
    come(app=2)
    assert inbox.short({"bank.app"}), "a chunk that was small itself says nothing"


def test_bytes_end_a_chunk_too_but_one_message_is_always_taken() -> None:
    inbox = Inbox(TOPICS, chunk_events=100, chunk_bytes=50)
    for offset in range(3):
        inbox.add("bank.app", [read(Raw("bank.app", 0, offset, b"k", b"x" * 60), CORE)])
    assert not inbox.room("bank.app")
    assert inbox.room("bank.core")
    assert [len(inbox.take(CONTEXT)) for _ in range(3)] == [1, 1, 1]
    assert inbox.empty
