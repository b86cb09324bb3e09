"""Scores: kept in the profile, high once until they are released, of the newest event alone."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from agents.register import check_change
from agents.rules import read_rules
from config.load_rules import RuleFileErrors
from config.settings import Settings
from schemas.effects import ActionTaken, Alert, Decision, Effect, Profile
from schemas.envelope import from_millis
from schemas.profile import Score
from schemas.record import Record
from schemas.rule_scores import Score as ScoreDefinition
from schemas.rules import RuleDefinition
from streams.chunk import apply_chunk
from streams.context import Context, CoreSettings
from streams.durations import DAY_MS
from streams.intake import read
from streams.rules.compiler import compile_rules
from streams.rules.errors import RuleErrors
from streams.rules.lifecycle import approve
from streams.rules.register import RegisterError
from streams.rules.scores import MAX_SCORES, keep
from tests.core.strategies import CUSTOMERS, NOW, PARTITIONS
from tests.core.test_actions import rule, viewed
from tests.lane.rules import rule as of_register
from tests.rules.maker import DECLARED, TYPES, random_input, random_record
from tests.rules.test_compiled import OPEN, random_rule
from tests.rules.test_register import active, book_of, version
from tests.rules.test_wrong_rules import GOOD

WHO = CUSTOMERS[0]
SETTINGS = CoreSettings(partitions=PARTITIONS)
TEXT = {"en": "{score}: {reasons}", "zh": "{score}：{reasons}"}
SCORE = {
    "name": "leaving",
    "threshold": 60,
    "release": 40,
    "signals": [
        {
            "points": 40,
            "if": "page_topic == 'closing' or page_topic == 'both'",
            "reason": {"en": "reads of {page_topic}", "zh": "看了 {page_topic}"},
        },
        {
            "points": 30,
            "if": "count(page.viewed, 1h) >= 3",
            "reason": {"en": "often", "zh": "常看"},
        },
        {"points": -20, "if": "page_topic == 'both'", "reason": {"en": "wavers", "zh": "犹豫"}},
    ],
}


def scoring(**more: Any) -> RuleDefinition:
    return rule("leaving", "true", {"alert": {"text": TEXT}}, score=SCORE, **more)


SIGNAL = {"points": 5, "if": "base_amount > 3", "reason": {"en": "A", "zh": "甲"}}


class Customer:
    def __init__(self, *rules: RuleDefinition) -> None:
        self.record = Record(WHO)
        self.context = Context(NOW, compile_rules(rules), SETTINGS)
        self.number = 0

    def view(self, topic: str, minutes: int) -> list[Effect]:
        self.number += 1
        at = NOW - 2 * DAY_MS + minutes * 60_000
        entry = read(viewed(self.number, topic, at), SETTINGS)
        self.record = Record(WHO, self.record.encode())
        return apply_chunk([entry], lambda _: self.record, self.context).effects

    def alerts(self, topic: str, minutes: int) -> list[str]:
        made = self.view(topic, minutes)
        return [one.data.text["en"] for one in made if isinstance(one, Alert)]

    @property
    def points(self) -> int:
        return self.record.profile.scores["leaving"].points


def test_it_fires_once_until_it_is_released() -> None:
    customer = Customer(scoring())
    fired = []
    for minutes, topic in enumerate(("closing", "closing", "closing", "closing", "both")):
        fired.append((customer.points if minutes else 0, customer.alerts(topic, minutes)))
    assert [alerts for _, alerts in fired] == [[], [], ["70: reads of closing; often"], [], []]
    assert customer.points == 50, "between release and threshold it is still high"
    assert not customer.alerts("closing", 6)
    assert not customer.alerts("tea", 7)
    assert customer.points == 30, "below release it is low"
    assert not customer.record.profile.scores["leaving"].raised
    assert customer.alerts("closing", 8) == ["70: reads of closing; often"]


def test_a_score_rises_in_silence_and_is_let_be_when_time_changes_nothing_any_more() -> None:
    signal = {
        "points": 60,
        "if": "count(page.viewed, 30d) == 0 and count(page.viewed, 90d) >= 2",
        "reason": {"en": "stays away", "zh": "不再来"},
    }
    quiet = rule("quiet", "true", {"alert": {"text": TEXT}}, score=SCORE | {"signals": [signal]})
    customer = Customer(quiet)
    for day in (0, 1, 2, 9):
        customer.view("tea", 1_440 * (day - 400))
    last = customer.record.activity.latest
    told: list[tuple[int, str]] = []
    scores: list[int] = []
    for day in range(0, 400, 3):
        until = last + day * DAY_MS
        context = Context(until, customer.context.rules, SETTINGS, partition_time=until)
        due = [WHO] if 0 <= customer.record.header.next_due <= until else []
        for one in apply_chunk([], lambda _: customer.record, context, due=due).effects:
            if isinstance(one, Alert):
                assert one.data.waited_until is not None
                told.append(((one.data.waited_until - from_millis(last)).days, one.data.text["en"]))
                assert one.data.cause.time == from_millis(last)
            elif isinstance(one, Profile):
                scores.append(one.data.scores["leaving"])
        customer.record = Record(WHO, customer.record.encode())
    assert told == [(35, "60: stays away")]
    assert scores == [60, 0]
    assert not customer.record.activity.timers
    assert customer.view("tea", 0)
    assert customer.record.activity.timers


def test_a_score_that_looks_at_the_event_waits_for_one() -> None:
    customer = Customer(scoring())
    customer.view("closing", 0)
    assert not customer.record.activity.timers


def test_a_score_goes_with_its_rule_at_the_next_event() -> None:
    customer = Customer(scoring())
    customer.view("closing", 0)
    renamed = scoring().model_copy(
        update={"score": ScoreDefinition.model_validate({**SCORE, "name": "going"})}
    )
    for rules, scores in (([renamed], {"going": 40}), ([], {})):
        customer.context = Context(NOW, compile_rules(rules), SETTINGS)
        [told] = customer.view("closing", 1)
        assert isinstance(told, Profile)
        assert told.data.scores == scores
        assert [*customer.record.profile.scores] == [*scores]


def test_reasons_are_told_in_each_language_and_as_values() -> None:
    customer = Customer(scoring())
    made = [one for n in range(3) for one in customer.view("closing", n)]
    (alert,) = (one.data for one in made if isinstance(one, Alert))
    assert alert.text == {"en": "70: reads of closing; often", "zh": "70：看了 closing；常看"}
    assert alert.values == {
        "page_topic": "closing",
        "score": "70",
        "reasons": "reads of closing; often",
    }
    summaries = [one.data for one in made if isinstance(one, Profile)]
    assert [one.scores for one in summaries] == [{"leaving": 40}, {"leaving": 70}]
    assert [one.high_scores for one in summaries] == [[], ["leaving"]]


def test_others_see_it_from_the_next_step_on() -> None:
    asks = rule("a-first", "profile.scores.leaving >= 40", {"tag": "{".strip("{") + "leaving"})
    unknown = rule("b-unknown", "not known(profile.scores.leaving)", {"tag": "new"})
    customer = Customer(scoring(), asks, unknown)
    made = [
        [one.data.name for one in customer.view("closing", n) if isinstance(one, ActionTaken)]
        for n in range(2)
    ]
    assert made == [["new"], ["leaving"]]


def test_an_event_that_is_not_the_newest_scores_nothing() -> None:
    customer = Customer(scoring())
    customer.view("closing", 100)
    before = customer.record.profile.scores
    assert not customer.alerts("both", 40)
    assert customer.record.profile.scores == before
    customer.view("tea", 100)
    assert customer.points == 0, "the newest counts, also at the same time"


def test_behind_a_closed_gate_it_is_kept_and_fires_when_that_opens() -> None:
    customer = Customer(scoring(cooldown="1h"))
    for minutes in range(2):
        customer.view("closing", minutes)
    assert customer.alerts("closing", 2)
    customer.view("tea", 3)
    assert not customer.alerts("closing", 4), "it cools down"
    assert customer.points == 70
    assert not customer.record.profile.scores["leaving"].raised
    customer.view("closing", 62)
    customer.view("closing", 63)
    assert customer.record.profile.scores["leaving"].raised


def test_on_trial_it_is_kept_and_nothing_is_done() -> None:
    customer = Customer(scoring(status="shadow"))
    made = [one for n in range(4) for one in customer.view("closing", n)]
    assert customer.points == 70
    assert not any(isinstance(one, Alert) for one in made)
    assert len([one for one in made if isinstance(one, Decision)]) == 1


def test_where_its_condition_does_not_hold_it_stays_as_it_was() -> None:
    customer = Customer(scoring().model_copy(update={"if_": "page_topic != 'tea'"}))
    customer.view("closing", 1)
    customer.view("tea", 2)
    assert customer.points == 40


def test_a_score_that_stays_the_same_changes_no_profile() -> None:
    record = Record(WHO)
    assert keep(record, "x", Score(points=3, at=1))
    stored = Record(WHO, record.encode())
    assert not keep(stored, "x", Score(points=3, at=9))
    assert stored.profile.scores["x"].at == 1
    assert keep(stored, "x", Score(points=3, at=9, raised=True))
    for number in range(MAX_SCORES):
        keep(record, f"s{number}", Score(points=1, at=2))
    assert len(record.profile.scores) == MAX_SCORES
    assert "x" not in record.profile.scores
    assert record.profile.dropped["scores"] == 1


def test_random_scores_fire_and_are_released() -> None:
    """A guard: the comparison with the twin sees scores rise, fall and rise again."""
    random = Random(7)
    firings = releases = 0
    always = {**OPEN, "if_": "true", "cooldown": None}
    del always["score"]
    for number in range(400):
        definition = random_rule(random, number, TYPES[:2])
        if definition.score is None:
            continue
        definition = definition.model_copy(update=always)
        rules, record = compile_rules([definition], attributes=DECLARED), random_record(random)
        events = [random_input(random, types=definition.on) for _ in range(12)]
        for event in sorted(events, key=lambda one: one.at):
            record.activity.latest = event.at
            before = record.profile.scores.get(definition.score.name)
            firings += len(rules.apply(record, event, late=False).firings)
            after = record.profile.scores.get(definition.score.name)
            releases += bool(before and before.raised and after and not after.raised)
    assert firings > 50
    assert releases > 10


WITH_SCORE = GOOD.replace(
    "if: base_amount > 100 and times >= 3\n",
    """\
score:
  name: risk
  threshold: 50
  release: 30
  signals:
    - {points: 30, if: base_amount > 100, reason: {en: large, zh: 大}}
    - {points: 20, if: times >= 3, reason: {en: "{times} times", zh: 多}}
""",
).replace("{times} transfers", "{score}: {reasons}")
WRONG = [
    ("  release: 30\n", "", 13, 1, "score.release: this key is missing"),
    ("release: 30", "release: 60", 16, 12, "release should not be above threshold"),
    ("points: 30", "points: 20", 15, 14, "together have 40 points, below the threshold"),
    ("points: 30", "points: 300", 18, 16, "less than or equal to 100"),
    ("base_amount > 100", "base_amont > 100", 18, 24, "did you mean base_amount?"),
    ("base_amount > 100", "base_amount", 18, 24, "expected a condition (true or false)"),
    ("name: risk", "name: Risk", 14, 9, "score.name: write small letters"),
    ("{times} times", "{tims} times", 19, 51, "tims is not known; did you mean times?"),
    ("  times: count", "  score: count", 9, 10, "let.score: the name score is already taken"),
    ("cooldown: 1d", "wait: {for: 1h, without: logged.in}", 13, 1, "no wait and no sequence"),
    ("on: transfer.completed", "on: campaign.announced", 7, 5, "campaign.announced is told to all"),
    ("on: transfer.completed", "on: [logged.in, campaign.announced]", 7, 1, "told to all at once"),
    ("if: times >= 3", "if: profile.scores.risc > 3", 19, 24, "no rule has the score risc; did"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "wrong", "line", "column", "words"), WRONG)
def test_wrong_scores(
    tmp_path: Path, good: str, wrong: str, line: int, column: int, words: str
) -> None:
    path = tmp_path / "a-rule.yaml"
    path.write_text(WITH_SCORE)
    read_rules([tmp_path])
    assert good in WITH_SCORE
    path.write_text(WITH_SCORE.replace(good, wrong, 1))
    with pytest.raises(RuleFileErrors) as caught:
        read_rules([tmp_path])
    found = str(caught.value).replace(f"{path}:", "").splitlines()
    said = next((one for one in found if words in one), None)
    assert said is not None, found
    assert said.startswith(f"{line}:{column}: ")


def test_a_rule_without_a_score_names_none_and_needs_a_condition(tmp_path: Path) -> None:
    path = tmp_path / "a-rule.yaml"
    path.write_text(GOOD.replace("{times} transfers", "{score}"))
    with pytest.raises(RuleFileErrors, match="score is not known"):
        read_rules([path])
    path.write_text(GOOD.replace("if: base_amount > 100 and times >= 3", "score:"))
    with pytest.raises(RuleFileErrors, match="if: this key is missing"):
        read_rules([path])


def test_two_rules_have_no_score_of_one_name() -> None:
    other = scoring().model_copy(update={"id": "other"})
    with pytest.raises(RuleErrors, match="the rule leaving has a score of this name already"):
        compile_rules([scoring(), other])
    compile_rules([scoring(), other.model_copy(update={"status": "retired"})])


def test_a_set_of_rules_has_no_more_scores_than_a_record_keeps() -> None:
    """What fell off would be high anew with each event."""
    rules = [
        scoring().model_copy(
            update={
                "id": f"scores-{n:02}",
                "score": ScoreDefinition.model_validate({**SCORE, "name": f"s{n}"}),
            }
        )
        for n in range(MAX_SCORES + 1)
    ]
    compile_rules(rules[:-1])
    with pytest.raises(RuleErrors, match=r"^rule scores-12: score: 13 rules have a score.* 12$"):
        compile_rules(rules)
    for status in ("draft", "retired"):
        compile_rules([rules[0].model_copy(update={"status": status}), *rules[1:]])


def test_what_would_be_in_force_has_no_more_scores_than_a_record_keeps() -> None:
    named = [f"s{n}" for n in range(MAX_SCORES + 1)]
    scored = {
        name: {"name": name, "threshold": 1, "release": 1, "signals": [SIGNAL]} for name in named
    }
    told = [version(of_register(name, score=one)) for name, one in scored.items()]
    in_force = dict.fromkeys(named[:-1], (1, "live"))
    book, _ = book_of([*told, active(1, **in_force)])
    with pytest.raises(RegisterError, match=r"score: 13 rules have a score"):
        check_change(book, [approve(book, "s12", 1, "shadow", "somebody")], Settings())


def test_what_would_be_in_force_asks_for_no_score_that_is_not_there() -> None:
    scored = {"name": "calm", "threshold": 1, "release": 1, "signals": [SIGNAL]}
    asks = version(of_register("asks", **{"if": "profile.scores.clam > 3"}))
    told = [version(of_register("scores", score=scored)), asks, active(1, scores=(1, "live"))]
    book, _ = book_of(told)
    change = approve(book, "asks", 1, "shadow", "somebody")
    with pytest.raises(RegisterError, match=r"asks: if, column 1: .* clam; did you mean calm\?"):
        check_change(book, [change], Settings())
