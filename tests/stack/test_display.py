"""The live summary: whatever the facts are, it is drawn, and it fits its terminal."""

import io
import re
from collections import deque
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from agents.bank.storyline_file import shipped_storylines
from agents.local.card import card, gallery
from agents.local.display import Display, View, line
from agents.local.gallery import Star
from agents.local.observer import Facts, Shown
from schemas.activity import Month, Sum
from streams.portrait import portrait
from tests.portrait.story import TODAY, ZONE, record

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COUNTS = st.dictionaries(st.text(min_size=1, max_size=30), st.integers(1, 10**9), max_size=12)
SHOWN = st.builds(
    Shown,
    what=st.sampled_from(["task", "alert"]),
    level=st.sampled_from(["low", "normal", "high", "urgent", "new"]),
    customer=st.text(max_size=64),
    title=st.dictionaries(st.sampled_from(["en", "zh"]), st.text(max_size=300), max_size=2),
    text=st.dictionaries(st.sampled_from(["en", "zh"]), st.text(max_size=300), max_size=2),
)


@st.composite
def views(draw: st.DrawFn) -> View:
    facts = Facts(events=draw(st.integers(0, 10**12)), lag=3, sink_lag=4, bank_time=10**12)
    facts.isolated = ("fragile@2",)
    facts.by_rule.update(draw(COUNTS))
    facts.dead.update(draw(COUNTS))
    facts.latest.extend(draw(st.lists(SHOWN, max_size=8)))
    rates = deque(draw(st.lists(st.floats(0, 1e7), max_size=30)), maxlen=30)
    total = draw(st.none() | st.floats(1, 1e6))
    return View(
        facts, 12.5, 61.0, total, "live", {"worker-1": (True, 0), "sink": (False, 2)}, rates
    )


@settings(deadline=None, max_examples=50)
@given(views(), st.integers(60, 200))
def test_every_view_is_drawn_and_no_event_commands_the_terminal(view: View, width: int) -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=width, height=40)
    with Display(console) as display:
        display.show(view)
    text = _ANSI.sub("", written.getvalue())
    assert "vipcare · live · 01:01" in text
    assert "isolated: fragile@2" in text
    assert all(one.isprintable() or one in "\r\n" for one in text)
    assert not re.search("\x1b[^\\[]", written.getvalue())


def test_a_portrait_is_shown_where_there_is_room_for_it() -> None:
    storyline = next(one for one in shipped_storylines() if one.portrait)
    drawn = portrait(record(), ZONE, TODAY)
    for height, shown in ((60, True), (20, False)):
        view = View(Facts(events=5), 1.0, 2.0, None, "live", {})
        view.star = Star(storyline, drawn)
        written = io.StringIO()
        console = Console(file=written, force_terminal=True, width=140, height=height)
        with Display(console) as display:
            display.show(view)
        text = _ANSI.sub("", written.getvalue())
        assert ("360° of C100042" in text) is shown
        assert (storyline.title.en in text or storyline.title.zh in text) is shown


def test_the_gallery_shows_everybody_whole() -> None:
    stories = [one for one in shipped_storylines() if one.portrait]
    drawn = portrait(record(), ZONE, TODAY)
    written = io.StringIO()
    Console(file=written, width=120).print(gallery([Star(one, drawn) for one in stories]))
    text = written.getvalue()
    assert text.count("time line") == 5
    assert all(one.title.en in text or one.title.zh in text for one in stories)


def test_the_gallery_says_what_it_cannot_show() -> None:
    storyline = next(one for one in shipped_storylines() if one.portrait)
    written = io.StringIO()
    star = Star(storyline, portrait(record(), ZONE, TODAY), "tasks are not shown")
    Console(file=written, width=120).print(gallery([star]))
    assert "\ntasks are not shown" in written.getvalue()


def test_elsewhere_it_is_one_plain_line() -> None:
    facts = Facts(events=1_234, tasks=5, alerts=6, lag=7, sink_lag=8)
    facts.dead["broken"] = 9
    view = View(facts, 20.0, 12.0, None, "live", {})
    assert line(view) == (
        "   12 s  live      events 1,234 (20/s)  tasks 5  alerts 6  dead letters 9  "
        "waiting 7 for workers, 8 for the sink"
    )
    written = io.StringIO()
    with Display(Console(file=written, width=40)) as display:
        display.show(view)
    assert written.getvalue() == line(view) + "\n"


def test_a_card_shows_how_spending_went() -> None:
    """The storyline whose point is that it moves from one category to another."""
    held = record()
    for month, code in ((2026 * 12 + 1, "5812"), (2026 * 12 + 2, "5641")):
        held.months.put(month, Month(categories={code: Sum(1, Decimal(900))}))
    storyline = next(one for one in shipped_storylines() if one.portrait)
    drawn = portrait(held, ZONE, TODAY, base_currency="CNY")
    written = io.StringIO()
    Console(file=written, width=140).print(card(Star(storyline, drawn)))
    text = written.getvalue()
    assert "baby and children's wear  █" in text
    assert "restaurants █ " in text
    assert "CNY in 2026-" in text
