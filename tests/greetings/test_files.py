"""Files of greeting templates: every mistake is told with its place; those shipped are good."""

import re
from pathlib import Path

import pytest

from agents.cli.main import run
from agents.core import core_settings
from agents.rules import read_rules
from config.load_greetings import GreetingFileErrors, read_greetings
from config.load_rules import RuleFileErrors
from config.settings import Settings, StepSettings
from streams.context import CoreSettings
from streams.greetings import Greetings
from tests.rules.test_wrong_rules import GOOD as RULE

GOOD = """\
occasion: birthday
templates:
  - id: one
    texts: {zh: 生日快乐, en: Happy birthday}
  - id: two
    texts: {zh: 祝您生日快乐}
  - id: golf
    tier: [gold, diamond]
    interest: golf
    texts: {zh: 挥杆快乐}
"""
FILES = [
    ("occasion", "ocasion", 1, 1, "ocasion: not a key here; there are occasion, templates"),
    ("  - id: one\n", "  - od: one\n", 3, 5, "templates.0.od: not a key here; there are id, tier"),
    ("id: one", "id: One", 3, 9, "templates.0.id: write small letters and"),
    ("id: one", "id: two", 5, 9, "templates.1.id: the template two is in"),
    ("{zh: 祝您生日快乐}", "{}", 6, 5, "templates.1.texts: it is empty"),
    ("{zh: 祝您生日快乐}", "{zh-CN: x}", 6, 13, "templates.1.texts.zh-CN"),
    ("{zh: 祝您生日快乐}", "{en: x}", 2, 1, "2 templates at least should have a text in zh"),
    ("interest: golf", "interest: [3]", 9, 16, "templates.2.interest.0: should be a text"),
    (GOOD, "birthday", 1, 1, "a file of greetings begins with keys such as occasion"),
]  # fmt: skip


def problems(folder: Path) -> list[str]:
    with pytest.raises(GreetingFileErrors) as caught:
        read_greetings(folder)
    lines = str(caught.value).splitlines()
    assert all(re.match(rf"{re.escape(str(folder))}[^:]*:\d+:\d+: \S", one) for one in lines)
    return [one.removeprefix(f"{folder}/") for one in lines]


@pytest.mark.parametrize(("good", "wrong", "line", "column", "words"), FILES)
def test_wrong_file(
    tmp_path: Path, good: str, wrong: str, line: int, column: int, words: str
) -> None:
    assert good in GOOD
    (tmp_path / "a.yaml").write_text(GOOD.replace(good, wrong, 1))
    found = problems(tmp_path)
    said = next((one for one in found if words in one), None)
    assert said is not None, found
    assert said.startswith(f"a.yaml:{line}:{column}: ")


def test_an_occasion_stands_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(re.sub(r"id: (\w+)", r"id: \1-b", GOOD))
    (line,) = problems(tmp_path)
    assert line.startswith("b.yaml:1:11: occasion: the occasion birthday is in")


def test_an_empty_folder(tmp_path: Path) -> None:
    (line,) = problems(tmp_path)
    assert line.endswith("there is no *.yaml in this folder")


def test_what_is_shipped_is_in_both_languages() -> None:
    greetings = Greetings(read_greetings())
    assert {"birthday", "anniversary", "holiday"} <= {*greetings.occasions()}
    for greeting in greetings.definitions:
        assert not [*greeting.lacks("en")], "nobody gets the same twice in a row in English either"
        assert all({*one.texts} == {"zh", "en"} for one in greeting.templates)


GREETS = "  greeting: {occasion: birthday, channels: [wechat]}\n  alert:"


def rule_problem(tmp_path: Path, greets: str, greeting: str) -> str:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.yaml").write_text(greeting)
    path = tmp_path / "a-rule.yaml"
    path.write_text(RULE.replace("  alert:", greets))
    greetings = Greetings(read_greetings(tmp_path / "templates"))
    try:
        read_rules([path], CoreSettings(partitions=1, greetings=greetings))
    except RuleFileErrors as errors:
        return str(errors).removeprefix(f"{path}:")
    return ""


OCCASION = "15:24: then.greeting.occasion: "
GREETING = [
    ("", "", ""),
    ("birthday, c", "birthdya, c", f"{OCCASION}there are no templates for birthdya; did you mean"),
    ("[wechat]", "[]", "15:34: then.greeting.channels: it is empty"),
    (", channels: [wechat]", "", "15:3: then.greeting.channels: this key is missing"),
    ("[wechat]", "[WeChat]", "15:45: then.greeting.channels.0: should be 'app', 'mail', 'phone', "),
    ("[wechat]", "[sms, wechatt]", "15:50: then.greeting.channels.1: should be 'app', 'mail', "),
    (
        "[wechat]",
        "[wechat], purpose: Service",
        "15:63: then.greeting.purpose: should be 'marketing' or 'service'; did you mean service?",
    ),
    ("挥杆快乐", "'{times} 次'", ""),
    ("interest: golf", "where: {times: '3'}", ""),
    (
        "interest: golf",
        "where: {tims: '3'}",
        f"{OCCASION}the template golf: tims is not known; did you mean times",
    ),
    (
        "挥杆快乐",
        "'{tims} 次'",
        f"{OCCASION}the template golf: tims is not known; did you mean times",
    ),
    ("挥杆快乐", "'{1 + 1} 次'", f"{OCCASION}the template golf: '1 + 1' is not a name"),
]


@pytest.mark.parametrize(("good", "wrong", "told"), GREETING)
def test_a_rule_that_greets(tmp_path: Path, good: str, wrong: str, told: str) -> None:
    said = rule_problem(tmp_path, GREETS.replace(good, wrong), GOOD.replace(good, wrong))
    assert said.startswith(told) if told else not said


def test_templates_are_part_of_what_is_reproduced(tmp_path: Path) -> None:
    path = tmp_path / "a-rule.yml"
    path.write_text(RULE)
    folder = tmp_path / "templates"
    folder.mkdir()
    digests = set()
    for text in ("生日快乐", "生日大吉"):
        (folder / "a.yaml").write_text(GOOD.replace("生日快乐", text))
        settings = Settings(step=StepSettings(templates=folder))
        greetings = core_settings(settings).greetings
        digests.add(read_rules([path], CoreSettings(partitions=1, greetings=greetings))[0].digest)
    assert len(digests) == 2


def test_the_commands_tell_what_is_wrong_with_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("id: one", "id: One"))
    monkeypatch.setenv("VIPCARE_STEP__TEMPLATES", str(tmp_path))
    for command in ("check", "test"):
        assert run(["rules", command]) == 2
        assert (
            f"{tmp_path}/a.yaml:3:9: templates.0.id: write small letters and"
            in capsys.readouterr().err
        )


EXAMPLE = """\
examples:
  - title: a greeting in the customer's language
    given:
      - {at: 2026-03-01, event: customer.updated, with: {language: LANGUAGE}}
      - {at: +1d, event: transfer.completed, times: 3, every: 1h,
         with: {direction: out, amount: 150}}
    expect: [alert: 3 transfers, greeting: PART]
"""


@pytest.mark.parametrize(
    ("language", "part", "status"), [("zh", "生日", 0), ("en", "生日", 2), ("en", "day", 0)]
)
def test_an_example_expects_a_greeting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, part: str, status: int
) -> None:
    path = tmp_path / "a-rule.yaml"
    example = EXAMPLE.replace("LANGUAGE", language).replace("PART", part)
    path.write_text(RULE.replace("  alert:", GREETS) + example)
    assert run(["rules", "test", str(path)]) == status
    if status:
        assert "number 2 is the greeting “birthday-" in capsys.readouterr().err
