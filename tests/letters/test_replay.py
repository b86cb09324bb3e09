"""`vipcare dead-letters replay`: what goes to vip.internal, in which order, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from agents.cli.main import run
from agents.letters.mask import masked
from agents.reading import Found, read_topic
from config.load import load_settings
from schemas.dead_letters import Reason
from streams.partitioning import partition_of
from tests.letters.conftest import LETTERS, event, letter, send_letters
from tests.letters.test_commands import said


def internal() -> list[Found]:
    return list(read_topic(load_settings().kafka, "vip.internal"))


def test_what_can_be_replayed_goes_as_it_is_and_once(
    broker: str, capfd: pytest.CaptureFixture[str]
) -> None:
    out, err = said(capfd, "replay", "--all", "--dry-run")
    assert "3 dead letters would be replayed" in out
    assert not internal()
    out, err = said(capfd, "replay", "--all")
    assert "3 dead letters replayed" in out
    assert "bank.core[1]@0: would be refused again: " in err
    assert "bank.core[1]@4: cut: only 262,144 bytes" in err
    assert (
        "bank.app[1]@3: applied already, only ClickHouse refused its row: see `vipcare sink" in err
    )
    assert "bank.core[1]@5: of no customer: " in err
    assert "Wang" not in out + err
    sent = internal()
    partitions = load_settings().topics.partitions
    assert {(one.key, one.value) for one in sent} == {
        (b"C1", LETTERS[1].value),
        (b"C2", LETTERS[2].value),
        (b"C1", LETTERS[6].value),
    }
    assert all(one.partition == partition_of(one.key or b"", partitions) for one in sent)
    headers = {dict(one.headers)["vipcare-first"]: dict(one.headers) for one in sent}
    assert headers[b"bank.core[1]@6"]["vipcare-letter"] == b"vip.dead-letters[2]@6"

    out, err = said(capfd, "replay", "--all")
    assert "0 dead letters replayed" in out
    assert "left out: 3 replayed already" in out
    assert "bank.core[1]@6: replayed already: `show` says where; --again " in err
    assert len(internal()) == 3
    listed, _ = said(capfd, "list", "--limit", "2")
    assert listed.startswith("refused (UTC)")
    assert listed.endswith("), 3 of them replayed; 2 shown\n")
    assert "1 dead letter replayed" in said(capfd, "replay", "bank.core:1:6", "--again")[0]
    assert len(internal()) == 4


def test_by_places(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    out, err = said(capfd, "replay", "bank.core[1]@6", "vip.dead-letters:2:4", "x:1:1", status=2)
    assert "1 dead letter replayed" in out
    assert "bank.core[1]@4: cut" in err
    assert "x[1]@1: no dead letter" in err
    assert err.endswith("vipcare: not all of these can be replayed: see above\n")
    assert "say which letters" in said(capfd, "replay", status=2)[1]


def test_letters_with_one_obstacle_are_one_line(
    broker: str, capfd: pytest.CaptureFixture[str]
) -> None:
    send_letters(
        broker, [letter(Reason.CONFLICT, 100 + n, event(f"c-{n}", "C8")) for n in range(25)]
    )
    out, err = said(capfd, "replay", "--customer", "C8")
    assert "left out: 25 in conflict" in out
    [line] = (line for line in err.splitlines() if "in conflict" in line)
    named = ", ".join(f"bank.core[1]@{100 + n}" for n in range(5))
    assert line.startswith(f"{named} and 20 more: in conflict: another event of its source")


def test_a_customers_events_go_in_the_order_in_which_they_were_refused(
    broker: str, capfd: pytest.CaptureFixture[str]
) -> None:
    later = [letter(Reason.FUTURE, 100 + n, event(f"late-{n}", "C7")) for n in range(30)]
    for n in range(0, 30, 10):  # misrouted ones lie in other partitions
        send_letters(broker, later[n : n + 10], partition=(n // 10) % 3)
    assert "30 dead letters replayed" in said(capfd, "replay", "--customer", "C7")[0]
    assert [one.value for one in internal()] == [one.value for one in later]


def test_a_conflict_stays_one(broker: str, capfd: pytest.CaptureFixture[str]) -> None:
    """As it is it would be refused again, with another letter each time."""
    send_letters(broker, [letter(Reason.CONFLICT, 8, event("e8"))])
    out, err = said(capfd, "replay", "--category", "conflict")
    assert "0 dead letters replayed" in out
    assert "left out: 1 in conflict" in out
    assert "bank.core[1]@8: in conflict: another event of its source and id was applied" in err
    assert "not all of these" in said(capfd, "replay", "bank.core:1:8", status=2)[1]
    assert not internal()
    assert "1 dead letter replayed" in said(capfd, "replay", "bank.core:1:8", "--again")[0]


def test_one_that_is_refused_again_names_the_first(broker: str) -> None:
    again = letter(Reason.FAILED, 8, event("e8"), topic="vip.internal")
    send_letters(broker, [structs.replace(again, first="bank.card[0]@77")])
    assert run(["dead-letters", "replay", "vip.internal:1:8"]) == 0
    (sent,) = internal()
    assert dict(sent.headers)["vipcare-first"] == b"bank.card[0]@77"


@given(st.text(min_size=1), st.text("WANG", min_size=3), st.integers(10**6, 10**9))
def test_a_mask_shows_no_value_and_no_strange_name(name: str, word: str, number: int) -> None:
    value = event("e1", data={"name": word, word: [word, number, {"x": word}], "list": [1] * 9})
    shown = masked(value)
    assert word not in shown
    assert str(number) not in shown
    assert '"data"' in shown
    assert '"<6 more>"' in shown
    assert masked(name.encode() + b"{").startswith("not JSON")
