"""Which greeting a customer gets, held to a list of all that are allowed."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import ActivitySection
from schemas.effects import ActionTaken, Decision, Effect
from schemas.greetings import Greeting
from schemas.profile import Basics, Interest, ProfileSection
from schemas.record import Record
from schemas.rules import RuleDefinition
from streams.backtest.firings import firings
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.greetings import MAX_OCCASIONS, Greetings, last_greeting, note_greeting, open_channels
from streams.identity import derive_id
from streams.intake import read
from streams.rules.compiler import compile_rules
from tests.core.strategies import CUSTOMERS, DAY, NOW, PARTITIONS
from tests.core.test_actions import rule, viewed

WHO = CUSTOMERS[0]
tiers, interests = st.sampled_from(["gold", "diamond"]), st.sampled_from(["golf", "wine"])
feasts = st.sampled_from(["spring", "autumn"])
languages = st.sampled_from(["zh", "en", "fr"])
templates = st.fixed_dictionaries(
    {
        "tier": st.lists(tiers, max_size=1),
        "interest": st.lists(interests, max_size=2),
        "where": st.dictionaries(
            st.just("feast"), st.lists(feasts, min_size=1, max_size=2), max_size=1
        ),
        "texts": st.dictionaries(languages, st.just("x"), min_size=1),
    }
)


def greeting(more: list[dict[str, Any]]) -> Greeting:
    base = [{"texts": {"zh": "{page_topic}"}}, {"texts": {"zh": "乙", "en": "{page_topic}"}}]
    numbered = [{"id": f"t{n}", **one} for n, one in enumerate(base + more)]
    return Greeting.model_validate({"occasion": "birthday", "templates": numbered})


def conditions(one: Any) -> int:
    return len([kind for kind in (one.tier, one.interest, one.where) if kind])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(templates, max_size=6),
    st.none() | st.sampled_from(["zh", "en", "en-GB", "de"]),
    st.none() | tiers,
    st.sets(interests),
    st.none() | feasts,
    st.sampled_from(["", "t0", "t1", "t2"]),
    st.integers(0, 20),
)
def test_the_choice_is_one_of_the_best_and_never_the_last(
    more: list[dict[str, Any]],
    language: str | None,
    tier: str | None,
    interested: set[str],
    feast: str | None,
    last: str,
    number: int,
) -> None:
    definition = greeting(more)
    assert not [*definition.lacks("zh")]
    profile = ProfileSection(basics=Basics(language=language, tier=tier))
    profile.interests = {name: Interest(at=0) for name in interested}
    name = derive_id(str(number))
    values = {} if feast is None else {"feast": feast}
    chosen = Greetings([definition]).choose("birthday", profile, values, last, name)
    assert chosen == Greetings([definition]).choose("birthday", profile, values, last, name)
    allowed = [
        (one.id, spoken, conditions(one))
        for one in definition.templates
        for spoken in one.texts
        if spoken in ((language or "zh")[:2], "zh")
        and (not one.tier or tier in one.tier)
        and (not one.interest or interested & {*one.interest})
        and (not one.where or feast in one.where["feast"])
        and one.id != last
    ]
    own = [one for one in allowed if one[1] == (language or "zh")[:2]]
    most = max(fits for *_, fits in own or allowed)
    best = {(one, spoken) for one, spoken, fits in own or allowed if fits == most}
    assert (chosen.template.id, chosen.language) in best


def test_each_of_the_best_is_chosen_by_somebody() -> None:
    greetings = Greetings([greeting([])])
    names = [derive_id(str(number)) for number in range(40)]
    found = [
        greetings.choose("birthday", ProfileSection(), {}, "", one).template.id for one in names
    ]
    assert 10 < found.count("t0") < 30


def greet(record: Record, number: int, **change: Any) -> list[Effect]:
    wanted = {"occasion": "birthday", "channels": ["wechat", "phone"], **change}
    definition = rule("greets", "true", {"greeting": wanted})
    return effects(record, number, definition)


def effects(record: Record, number: int, definition: RuleDefinition) -> list[Effect]:
    greetings = Greetings([greeting([{"tier": "diamond", "texts": {"en": "Dear diamond"}}])])
    core = CoreSettings(partitions=PARTITIONS, greetings=greetings)
    context = Context(NOW, compile_rules([definition], greetings=greetings), core)
    raw = viewed(number, "tea", NOW - DAY + number)
    return apply_chunk([read(raw, core)], lambda _: record, context).effects


def test_a_greeting_carries_its_text_and_is_never_the_same_twice_in_a_row() -> None:
    record = Record(WHO)
    names = []
    for number in range(12):
        (told,) = (one.data for one in greet(record, number) if isinstance(one, ActionTaken))
        assert (told.action, told.occasion, told.channels) == (
            "greeting",
            "birthday",
            ["wechat", "phone"],
        )
        assert told.text == {"zh": "tea" if told.name == "t0" else "乙"}
        names.append(told.name)
        record = Record(WHO, record.encode())
    assert names in (["t0", "t1"] * 6, ["t1", "t0"] * 6)


def test_the_customers_language_and_tier_count() -> None:
    record = Record(WHO)
    record.edit_profile().basics = Basics(language="en-GB", tier="diamond")
    (told,) = (one.data for one in greet(record, 1) if isinstance(one, ActionTaken))
    assert told.text == {"en": "Dear diamond"}
    (told,) = (one.data for one in greet(record, 2) if isinstance(one, ActionTaken))
    assert (told.name, told.text) == ("t1", {"en": "tea"}), "what fits best was the last one"


def test_no_greeting_goes_where_the_customer_refused_it() -> None:
    record = Record(WHO)
    consents = {"marketing": {"wechat": False}, "service": {"phone": False}}
    record.edit_profile().basics.consents = consents
    (told,) = (one.data for one in greet(record, 1) if isinstance(one, ActionTaken))
    assert told.channels == ["phone"]
    (told,) = (
        one.data for one in greet(record, 2, purpose="service") if isinstance(one, ActionTaken)
    )
    assert told.channels == ["wechat"]
    consents["marketing"]["phone"] = False
    before = last_greeting(record.activity, "birthday")
    made = greet(record, 3)
    assert not any(isinstance(one, ActionTaken) for one in made)
    (decision,) = (one.data for one in made if isinstance(one, Decision))
    assert (decision.outcome, decision.actions) == ("refused", ["greeting"])
    assert last_greeting(record.activity, "birthday") == before, "what was not said is not the last"


def test_a_refused_greeting_hides_nothing_else_that_a_rule_did() -> None:
    record = Record(WHO)
    record.edit_profile().basics.consents = {"marketing": {"wechat": False}}
    then = {
        "task": {"text": {"en": "A", "zh": "甲"}},
        "greeting": {"occasion": "birthday", "channels": ["wechat"]},
    }
    (fired,) = firings(effects(record, 1, rule("greets", "true", then)))
    assert (fired.became, fired.actions, fired.refused) == ("fired", ["task"], True)


def test_what_is_withheld_is_not_the_last_greeting() -> None:
    record = Record(WHO)
    then = {"greeting": {"occasion": "birthday", "channels": ["wechat"]}}
    made = effects(record, 1, rule("greets", "true", then, status="shadow"))
    assert [one.data.actions for one in made if isinstance(one, Decision)] == [["greeting"]]
    assert not record.activity.greetings


def test_a_record_keeps_the_last_greeting_of_a_few_occasions() -> None:
    activity = ActivitySection()
    for number in range(MAX_OCCASIONS + 2):
        note_greeting(activity, f"o{number:02}", "t", number)
    assert [*activity.greetings] == [f"o{n:02}" for n in range(2, MAX_OCCASIONS + 2)]
    assert activity.dropped["greetings"] == 2
    note_greeting(activity, "o09", "other", 99)
    assert last_greeting(activity, "o09") == "other"
    assert not last_greeting(activity, "o00")


def test_what_nobody_refused_is_open() -> None:
    profile = ProfileSection()
    assert open_channels(profile, "marketing", ["sms"]) == ["sms"]
    profile.basics.consents = {"marketing": {"sms": True, "phone": False}}
    assert open_channels(profile, "marketing", ["phone", "post", "sms"]) == ["post", "sms"]


def test_a_refusal_counts_however_its_names_are_capitalised() -> None:
    told = {"marketing": {"wechat": True}, "Marketing": {"WeChat": False, "SMS": False}}
    profile = ProfileSection(basics=Basics(consents=told))
    assert open_channels(profile, "marketing", ["wechat", "sms", "phone"]) == ["phone"]
    assert open_channels(profile, "service", ["wechat"]) == ["wechat"]
