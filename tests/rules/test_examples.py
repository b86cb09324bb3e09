"""Examples in rule files: what they show is played by the live step, and what is wrong is told."""

import re
from pathlib import Path

import pytest

from agents.cli.main import run
from agents.rules import read_rules, try_examples
from config.load_rules import RuleFileErrors
from schemas.attributes import AttributeDefinition
from schemas.events import EVENT_TYPES
from schemas.events.reference import FACT_TYPES
from schemas.rule_parts import Text
from streams.attributes import Attributes
from streams.context import CoreSettings
from tests.rules.test_wrong_rules import CONDITION, GOOD

CHILDREN = AttributeDefinition(
    name="children", type="number", title=Text(en="Children", zh="子女"), sensitive=False
)
SETTINGS = CoreSettings(partitions=4, attributes=Attributes([CHILDREN]))
MANY = """\
  - title: three
    given:
      - {at: 2026-03-01 10:00, event: transfer.completed, times: 3, every: 1h,
         with: {direction: out, amount: 150}}
"""


def problem(tmp_path: Path, examples: str, rule: str = GOOD) -> str:
    """What is said of a rule with these examples; empty if nothing is."""
    path = tmp_path / "a-rule.yaml"
    path.write_text(f"{rule}examples:\n{examples}")
    try:
        _, files = read_rules([path], SETTINGS)
        try_examples(files, SETTINGS)
    except RuleFileErrors as errors:
        return str(errors).removeprefix(str(tmp_path))
    return ""


@pytest.mark.parametrize(
    "expect",
    [
        "[alert: 3 transfers]",
        "[alert: 3 笔]",
        "[alert: A]",
        "[{alert: 3, at: 2026-03-01}]",
        "[{alert: 3, at: 2026-03-01T12:00}]",
    ],
)
def test_what_comes_as_expected(tmp_path: Path, expect: str) -> None:
    assert not problem(tmp_path, f"{MANY}    expect: {expect}\n")


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("[]", "the alert “3 transfers” of 2026-03-01 12:00:00 came and was not expected"),
        ("[alert: transfers of 3]", "number 1 is the alert “3 transfers” of 2026-03-01 12:00:00, "),
        ("[alert: 2 transfers]", "number 1 is the alert “3 transfers” of 2026-03-01 12:00:00, "),
        ("[task: 3 transfers]", "expected was the task “3 transfers”"),
        ("[{alert: 3, at: 2026-03-02}]", "expected was the alert “3” of 2026-03-02"),
        ("[alert: 3, alert: 3]", "the alert “3” was expected and did not come"),
        (
            "[task: 3, alert: 4, tag: x]",
            "expected was the task “3”; the alert “4” was expected and did not come; the tag “x” "
            "was expected and did not come",
        ),
        ("[" + ", ".join(["alert: 3"] * 13) + "]", "did not come; and 2 more"),
    ],
)
def test_what_does_not(tmp_path: Path, expect: str, told: str) -> None:
    said = problem(tmp_path, f"{MANY}    expect: {expect}\n")
    assert said.startswith("/a-rule.yaml:25:5: examples.0.expect: three: ")
    assert told in said


DOES = """\
  process: {name: review}
  untag: calm
  tag: busy
  interest: speed
  note: {about: transfers, text: {en: "{times} in a row", zh: 多}}
cooldown"""


def test_everything_that_a_rule_does_can_be_expected(tmp_path: Path) -> None:
    rule = GOOD.replace("cooldown", DOES)
    good = "[alert: 3, process: review, untag: calm, tag: busy, interest: speed, note: 3 in a row]"
    assert not problem(tmp_path, f"{MANY}    expect: {good}\n", rule)
    for right, wrong in (
        ("process: review", "process: view"),
        ("tag: busy,", "tag: bus,"),
        ("untag: calm, ", ""),
        ("interest: speed", "tag: speed"),
        ("3 in a row", "4 in a row"),
    ):
        said = problem(tmp_path, f"{MANY}    expect: {good.replace(right, wrong)}\n", rule)
        assert "a-rule.yaml:30:5: examples.0.expect: three: number" in said


def test_time_goes_on_for_what_waits(tmp_path: Path) -> None:
    rule = GOOD.replace("cooldown: 1d", "wait: {for: 2d, without: logged.in}")
    given = f"{MANY}      - {{at: +40h, event: logged.in, with: {{channel: app}}}}\n"
    comes = "[{alert: 3, at: 2026-03-03 12:00}]"
    assert not problem(tmp_path, f"{MANY}    until: 2026-03-04\n    expect: {comes}\n", rule)
    assert not problem(tmp_path, f"{MANY}    until: 2026-03-03\n    expect: []\n", rule)
    assert not problem(tmp_path, f"{given}    until: 2026-03-04\n    expect: []\n", rule)


def test_time_goes_on_until_all_that_waits_has_come(tmp_path: Path) -> None:
    rule = GOOD.replace("cooldown: 1d", "wait: {for: 2d, without: logged.in}")
    given = f"{MANY}      - {{at: +40h, event: logged.in, with: {{channel: app}}}}\n"
    assert not problem(tmp_path, f"{MANY}    expect: [{{alert: 3, at: 2026-03-03 12:00}}]\n", rule)
    said = problem(tmp_path, f"{MANY}    expect: []\n", rule)
    assert "the alert “3 transfers” of 2026-03-03 12:00:00 came and was not expected" in said
    assert not problem(tmp_path, f"{given}    expect: []\n", rule)


def test_time_does_not_go_back(tmp_path: Path) -> None:
    said = problem(tmp_path, f"{MANY}    until: 2026-02-28\n    expect: []\n")
    assert "examples.0.until: this is before the last event that is given" in said


def test_a_yearly_rule_needs_no_event_but_the_one_that_tells_the_day(tmp_path: Path) -> None:
    rule = """\
id: a-rule
version: 1
title: {en: A, zh: 甲}
kind: care
owner: Tests
status: live
wait: {days: 3, before: birthday, every: year}
if: tier == 'gold'
then: {task: {text: {en: "{tier}", zh: 甲}}}
"""
    told = "{at: 2026-01-05, event: customer.updated, with: {birthday: 1980-03-01, tier: gold}}"
    comes = "[{task: gold, at: 2026-02-26 09:00}, {task: gold, at: 2027-02-26 09:00}]"
    example = f"  - {{title: a, given: [{told}], until: 2027-12-31, expect: {comes}}}\n"
    assert not problem(tmp_path, example, rule)
    once = "[{task: gold, at: 2026-02-26 09:00}]"
    assert not problem(tmp_path, f"  - {{title: a, given: [{told}], expect: {once}}}\n", rule)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            "{at: 2026-03-01, event: transfer.complete}",
            "/a-rule.yaml:23:33: examples.0.given.0.event: transfer.complete is no event type; "
            "did you mean transfer.completed?",
        ),
        (
            "{at: 2026-03-01, event: transfer.completed}",
            "/a-rule.yaml:23:9: examples.0.given.0: transfer.completed: say in `with` direction "
            "(in or out), amount (a number)",
        ),
        (
            "{at: 2026-03-01, event: deposit.placed, with: {principal: 5}}",
            "deposit.placed: say in `with` rate (a number), matures_on (a day such as 2026-03-01)",
        ),
        (
            "{at: 2026-03-01, event: exchange_rate.set, with: {rate: 5}}",
            "exchange_rate.set: say in `with` exchange_rate (a currency such as USD)",
        ),
        (
            "{at: 2026-03-01, event: card.settled, with: {base_amount: 5}}",
            "card.settled: say in `with` presence (online, phone, present or recurring)",
        ),
        (
            "{at: 2026-03-01, event: transfer.completed, with: {direction: up, amount: 1}}",
            "23:71: examples.0.given.0.with.direction: should be in or out",
        ),
        (
            "{at: 2026-03-01, event: card.settled, with: {amount: 1, presence: fone}}",
            "23:75: examples.0.given.0.with.presence: should be online, phone, present "
            "or recurring; did you mean phone?",
        ),
        (
            "{at: 2026-03-01, event: transfer.completed, with: {counterparty_contry: HK}}",
            "23:60: examples.0.given.0.with.counterparty_contry: counterparty_contry is "
            "not a field of transfer.completed; did you mean counterparty_country?",
        ),
        (
            "{at: 2026-03-01, event: logged.in, with: {xyz: 1}}",
            "23:51: examples.0.given.0.with.xyz: xyz is not a field of logged.in; there "
            "are channel, ",
        ),
        (
            "{at: 2026-03-01, event: customer.updated, with: {family: [{relaton: son}]}}",
            "23:68: examples.0.given.0.with.family.0.relaton: relaton is not a field of "
            "family.0; did you mean relation?",
        ),
        (
            "{at: 2026-03-01, event: customer.updated, with: {attributes: {childern: 2}}}",
            "23:71: examples.0.given.0.with.attributes.childern: the attribute childern "
            "is not declared; did you mean children?",
        ),
        (
            "{at: 2026-03-01, event: customer.updated, with: {attributes: {children: two}}}",
            "23:81: examples.0.given.0.with.attributes.children: attribute children is "
            "no number: a whole JSON number was expected",
        ),
        (
            "{at: 2026-03-01, event: transfer.completed, with: {direction: in, amount: x}}",
            "23:83: examples.0.given.0.with.amount: should be a number",
        ),
        (
            "{at: 2026-03-01, event: transfer.completed, with: {direction: in, amount: 0.12345}}",
            "23:83: examples.0.given.0.with.amount: transfer.completed: amount has more",
        ),
        (
            "{at: 2026-03-01, event: deposit.placed, with: {matures_on: 2026-3-1}}",
            "23:68: examples.0.given.0.with.matures_on: should be a day such as 2026-03-01",
        ),
        (
            "{at: 2026-03-01, event: card.settled, with: {category: 5411}}",
            "23:64: examples.0.given.0.with.category: should be a text: a number stands in quotes",
        ),
        (
            "{at: 2026-03-01, event: customer.updated, with: {consents: {service: {sms: no}}}}",
            "23:84: examples.0.given.0.with.consents.service.sms: should be true or false",
        ),
        ("{at: +1h, event: logged.in}", "examples.0.given.0.at: the first event needs a day"),
    ],
)
def test_events_that_cannot_be(tmp_path: Path, given: str, told: str) -> None:
    examples = f"  - title: wrong\n    given:\n      - {given}\n    expect: []\n"
    assert told in problem(tmp_path, examples)


def test_every_slip_of_an_example_is_told_and_what_is_declared_is_none(tmp_path: Path) -> None:
    slips = """\
  - title: wrong
    given:
      - {at: 2026-03-01, event: customer.updated, with: {teir: gold, attributes: {children: 2}}}
      - {at: 2026-03-02, event: product.set, with: {titel: {en: A}}}
    expect: []
"""
    said = problem(tmp_path, slips).splitlines()
    assert [line.split(": ")[1] for line in said] == [
        "examples.0.given.0.with.teir",
        "examples.0.given.1.with.titel",
    ]


def test_slips_of_examples_are_seen_without_playing_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = "  - {title: a, given: [{at: 2026-03-01, event: loged.in}], expect: []}\n"
    path = tmp_path / "a-rule.yaml"
    path.write_text(f"{GOOD}examples:\n{example}")
    assert run(["rules", "check", str(path)]) == 2
    assert "examples.0.given.0.event: loged.in is no event type" in capsys.readouterr().err


TAKEN = {
    "a number": "100",
    "a whole number": "5",
    "true or false": "true",
    "a day such as 2026-03-01": "2026-03-01",
    "a currency such as USD": "USD",
    "a text for each language, as in {zh: 甲, en: A}": "{zh: 甲, en: A}",
}


@pytest.mark.parametrize("event", [*EVENT_TYPES, *FACT_TYPES])
def test_an_event_needs_no_more_than_what_is_told(tmp_path: Path, event: str) -> None:
    """What is made up is taken, and so is what is said by the words of the error."""

    def told(said: str) -> str:
        given = f"{{at: 2026-02-01, event: {event}, with: {{{said}}}}}"
        return problem(tmp_path, f"  - title: a\n    given: [{given}]\n    expect: []\n")

    bare = told("")
    if bare:
        _, _, asked = bare.partition(f"{event}: say in `with` ")
        fields = re.findall(r"(\w+) \((.*?)\)(?:, |$)", asked)
        assert fields, bare
        for words in (0, -1):  # of a choice the first, and the last
            said = {name: TAKEN.get(takes) or takes.split()[words] for name, takes in fields}
            assert not told(", ".join(f"{name}: {one.strip(',')}" for name, one in said.items()))


def test_a_card_payment_needs_no_country(tmp_path: Path) -> None:
    rule = GOOD.replace("transfer.completed", "card.authorised", 1).replace(
        CONDITION, "category == '5411' and country == 'CN' and base_amount > 10"
    )
    said = 'with: {amount: 100, category: "5411", presence: present}'
    given = f"{{at: 2026-03-01, event: card.authorised, {said}}}"
    example = f"  - title: a\n    given: [{given}]\n    expect: [alert: transfers]\n"
    assert not problem(tmp_path, example, rule)


@pytest.mark.parametrize(
    ("example", "told"),
    [
        ("{title: a, given: [], expect: []}", "examples.0.given"),
        ("{title: a, expect: []}", "given: this key is missing"),
        (
            "{title: a, given: [{at: soon, event: logged.in}], expect: []}",
            "write a day, a day and a time",
        ),
        (
            "{title: a, given: [{at: 2026-03-01, event: logged.in, times: 2}], expect: []}",
            "times and every go together",
        ),
        (
            "{title: a, given: [{at: 2026-03-01, event: logged.in}], expect: [at: 2026-03-01]}",
            "say one thing that is expected: task, alert, process, greeting, untag",
        ),
    ],
)
def test_examples_that_are_none(tmp_path: Path, example: str, told: str) -> None:
    path = tmp_path / "a-rule.yaml"
    path.write_text(f"{GOOD}examples:\n  - {example}\n")
    with pytest.raises(RuleFileErrors, match=r"a-rule\.yaml:2") as caught:
        read_rules([path])
    assert told in str(caught.value)


def test_a_draft_is_tried_a_retired_rule_is_not(tmp_path: Path) -> None:
    examples = f"{MANY}    expect: []\n"
    assert problem(tmp_path, examples, GOOD.replace("live", "draft"))
    assert not problem(tmp_path, examples, GOOD.replace("live", "retired"))


def test_examples_change_nothing_of_a_rule(tmp_path: Path) -> None:
    path = tmp_path / "a-rule.yaml"
    path.write_text(GOOD)
    plain, _ = read_rules([path])
    path.write_text(f"{GOOD}examples:\n{MANY}    expect: []\n")
    assert read_rules([path])[0].digest == plain.digest


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "test"]) == 0
    assert capsys.readouterr().out.startswith("ok: ")
    path = tmp_path / "a-rule.yaml"
    path.write_text(GOOD)
    assert run(["rules", "test", str(path)]) == 0
    assert "a-rule has no example" in capsys.readouterr().out
    path.write_text(f"{GOOD}examples:\n{MANY}    expect: []\n")
    assert run(["rules", "test", str(path)]) == 2
    said = capsys.readouterr().err
    assert f"{path}:25:5: examples.0.expect: three: the alert" in said


LOAN = """\
id: a-rule
version: 1
title: {en: A, zh: 甲}
kind: opportunity
owner: Tests
status: live
on: loan.drawn
let: {ours: rate('mortgage'), newest: newest_product('loan').title_zh}
if: rate - ours > 0.005
then:
  task:
    text: {en: "ours is {ours}", zh: "现行利率 {ours}，{newest}"}
"""
GAP = """\
  - title: a gap
    given:
      - at: 2026-03-01
        event: interest_rate.set
        with: {interest_rate: mortgage, rate: "0.031"}
      - at: 2026-03-01
        event: product.set
        with: {product: L1, product_class: loan, title: {zh: 安居贷}, offered_from: 2026-01-01}
      - at: 2026-03-02
        event: loan.drawn
        with: {rate: "0.042", base_amount: 900000}
"""


def test_facts_are_given_like_events(tmp_path: Path) -> None:
    assert not problem(tmp_path, f"{GAP}    expect: [task: '现行利率 0.031，安居贷']\n", LOAN)
    without = GAP.replace(
        "rate.set\n        with: {interest_rate: mortgage",
        "rate.set\n        with: {interest_rate: other",
    )
    assert not problem(tmp_path, f"{without}    expect: []\n", LOAN)


def test_a_wrong_fact_is_told(tmp_path: Path) -> None:
    said = problem(tmp_path, f"{GAP.replace('L1', '[]')}    expect: []\n", LOAN)
    assert "examples.0.given.1.with.product: should be a text" in said


CAMPAIGN = """\
id: a-rule
version: 1
title: {en: A, zh: 甲}
kind: care
owner: Tests
status: live
on: campaign.announced
if: audience in tags and base_cost > 100
then:
  task:
    text: {en: "{title_en} {starts_on}", zh: "{title_zh}"}
examples:
  - title: invited
    given:
      - {at: 2026-03-01, event: tag.added, with: {tag: golf}}
      - at: 2026-03-02
        event: campaign.announced
        with: {audience: golf, base_cost: 6800, starts_on: 2026-05-16, ends_on: 2026-05-17}
    expect: [{task: 2026-05-16, at: 2026-03-02}]
  - title: another audience
    given:
      - {at: 2026-03-01, event: tag.added, with: {tag: tea}}
      - at: 2026-03-02
        event: campaign.announced
        with: {audience: golf, base_cost: 6800, starts_on: 2026-05-16, ends_on: 2026-05-17}
    expect: []
"""


def test_a_number_is_expected_as_a_whole(tmp_path: Path) -> None:
    rule = GOOD.replace("{times} transfers", "1{times}00.50 in {times}")
    for expect in ("1300.50", "1300.50 in 3", "00.50 in", "in 3"):
        said = problem(tmp_path, f'{MANY}    expect: [alert: "{expect}"]\n', rule)
        assert bool(said) is (expect == "00.50 in"), said
    for part in ("300.50", "1300", "130", "50"):
        said = problem(tmp_path, f'{MANY}    expect: [alert: "{part}"]\n', rule)
        assert "expected was the alert" in said, part


def test_a_broadcast_alone_is_told_to_somebody(tmp_path: Path) -> None:
    path = tmp_path / "a-rule.yaml"
    for condition, expect in (("base_cost > 100", "[task: 2026-05-16]"), ("base_cost < 100", "[]")):
        path.write_text(
            CAMPAIGN.partition("examples:")[0].replace("audience in tags and ", "")
            + "examples:\n  - title: nobody did anything\n    given:\n"
            + "      - {at: 2026-03-02, event: campaign.announced, with: {audience: golf, "
            + "base_cost: 6800, starts_on: 2026-05-16, ends_on: 2026-05-17}}\n"
            + f"    expect: {expect}\n"
        )
        path.write_text(path.read_text().replace("base_cost > 100", condition))
        _, files = read_rules([path], SETTINGS)
        try_examples(files, SETTINGS)


def test_a_campaign_is_told_to_the_customer(tmp_path: Path) -> None:
    path = tmp_path / "a-rule.yaml"
    path.write_text(CAMPAIGN)
    _, files = read_rules([path])
    try_examples(files, SETTINGS)
    path.write_text(CAMPAIGN.replace("expect: []", "expect: [task: golf]"))
    _, files = read_rules([path])
    with pytest.raises(RuleFileErrors, match="the task “golf” was expected and did not come"):
        try_examples(files, SETTINGS)
    path.write_text(CAMPAIGN.replace("ends_on: 2026-05-17", "ends_on: 2026-05-15"))
    _, files = read_rules([path])
    with pytest.raises(RuleFileErrors, match="ends_on is before starts_on"):
        try_examples(files, SETTINGS)
