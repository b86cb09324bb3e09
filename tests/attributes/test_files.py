"""The file of attributes: every mistake is told with its file, line, column and a useful word."""

import re
from pathlib import Path

import pytest

from agents.cli.main import run
from config.load_attributes import AttributeFileErrors, read_attributes
from schemas.attributes import MAX_DECLARED
from streams.fold.basics import MAX_ATTRIBUTES

GOOD = """\
attributes:
  - name: segment
    type: text
    title: {en: Segment, zh: 客群}
    sensitive: false
  - name: wealth
    type: amount
    title: {en: Wealth, zh: 财富}
    sensitive: true
    about: as told
"""
FILES = [
    ("type: text", "type: txt", 3, 11, "attributes.0.type: should be 'text', 'number'"),
    ("type: text", "type: txt", 3, 11, "did you mean text?"),
    ("type: amount", "typ: amount", 7, 5, "attributes.1.typ: not a key here; there are name, type"),
    ("type: amount", "typ: amount", 7, 5, "did you mean type?"),
    ("    sensitive: true\n", "", 6, 5, "attributes.1.sensitive: this key is missing"),
    ("sensitive: false", "sensitive: perhaps", 5, 16, "should be true or false"),
    ("name: wealth", "name: segment", 6, 11, "the attribute segment is declared already"),
    ("name: wealth", "name: class", 6, 11, "a word of the language of rules"),
    ("name: wealth", "name: Wealth", 6, 11, "write small letters, digits and _"),
    ("zh: 客群", "de: Kunden", 4, 26, "not a key here; there are en, zh"),
    ("attributes:", "atributes:", 1, 1, "atributes: not a key here; there are attributes"),
    ("attributes:", "atributes:", 1, 1, "did you mean attributes?"),
    ("title: {en: Segment, zh: 客群}", "title: Segment", 4, 12, "should be keys with values"),
    (GOOD, "attributes:\n  - segment\n", 2, 5, "should be keys with values, such as `name: ...`"),
    (GOOD, "attributes: segment\n", 1, 13, "should be a list, each entry behind a `- `"),
    ("about: as told", "about: [", 11, 1, "this is not YAML"),
]


@pytest.mark.parametrize(("good", "wrong", "line", "column", "words"), FILES)
def test_wrong_file(
    tmp_path: Path, good: str, wrong: str, line: int, column: int, words: str
) -> None:
    assert good in GOOD
    path = tmp_path / "attributes.yaml"
    path.write_text(GOOD.replace(good, wrong))
    with pytest.raises(AttributeFileErrors) as caught:
        read_attributes(path)
    lines = str(caught.value).splitlines()
    assert all(re.match(rf"{re.escape(str(path))}:\d+:\d+: \S", one) for one in lines)
    said = [one for one in lines if words in one]
    assert said, lines
    assert said[0].startswith(f"{path}:{line}:{column}: ")


def test_too_many(tmp_path: Path) -> None:
    path = tmp_path / "attributes.yaml"
    one = "  - {{name: a{}, type: text, title: {{en: A, zh: 甲}}, sensitive: false}}\n"
    path.write_text("attributes:\n" + "".join(map(one.format, range(MAX_DECLARED + 1))))
    with pytest.raises(AttributeFileErrors, match="at most 64 entries, not 65"):
        read_attributes(path)
    assert MAX_ATTRIBUTES == MAX_DECLARED


def test_the_shipped_file_has_every_type_and_a_sensitive_one() -> None:
    declared = read_attributes()
    assert {one.type for one in declared} == {
        "text", "number", "decimal", "amount", "date", "boolean", "texts",
    }  # fmt: skip
    assert {one.sensitive for one in declared} == {True, False}


def test_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "attributes.yaml"
    path.write_text(GOOD)
    assert run(["attributes", "check", str(path)]) == 0
    assert "ok: 2 attributes (1 sensitive)" in capfd.readouterr().out
    monkeypatch.setenv("VIPCARE_STEP__ATTRIBUTES", str(path))
    assert run(["attributes", "list"]) == 0
    listed = capfd.readouterr().out
    assert re.search(r"wealth +amount +Wealth +财富 +sensitive +as told", listed)
    path.write_text(GOOD.replace("text", "txt"))
    for command in (["attributes", "check"], ["rules", "check"]):
        assert run(command) == 2
        assert f"{path}:3:11: attributes.0.type" in capfd.readouterr().err


def test_events_are_checked_against_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path, events = tmp_path / "attributes.yaml", tmp_path / "events.jsonl"
    path.write_text(GOOD)
    monkeypatch.setenv("VIPCARE_STEP__ATTRIBUTES", str(path))
    event = (
        '{"specversion":"1.0","id":"1","source":"/t","type":"customer.updated","subject":"C1",'
        '"time":"2026-01-01T00:00:00Z","data":{"attributes":{"wealth":%s,"shoe":44}}}'
    )
    events.write_text(event % '"12.50"')
    assert run(["events", "check", str(events)]) == 0
    assert "line 1: attribute 'shoe' is not declared and is left out" in capfd.readouterr().err
    events.write_text(event % "12.5")
    assert run(["events", "check", str(events)]) == 2
    assert f"{events}:1: attribute wealth is no amount: a JSON string" in capfd.readouterr().err
