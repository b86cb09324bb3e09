"""Filling in placeholders, held to one substitution over the text."""

from hypothesis import example, given
from hypothesis import strategies as st

from streams.texts import PLACEHOLDER, fill

names = st.sampled_from(["a", "page.topic", "合计", "_"])
pieces = names.map("{{{}}}".format) | st.text("a{}.- 元", max_size=4)
values = st.dictionaries(names, st.text("{a}", max_size=4))


@given(st.lists(pieces).map("".join), values)
@example("{a}{a}", {"a": "{a}"})
@example("", {})
def test_each_name_in_braces_is_its_value(text: str, held: dict[str, str]) -> None:
    substituted = PLACEHOLDER.sub(lambda name: held.get(name[1], "?"), text)
    assert [fill(text, held), fill(text, held)] == [substituted] * 2
