"""Logs: whatever is logged, by us or by a library, shows no customer's data."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping

import msgspec
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents import logs
from config.settings import LogSettings

SECRET = "ZHANG-139-0000"  # what must not be seen


class Carrier(msgspec.Struct):
    name: str = SECRET


def _raised(error: Exception) -> Exception:
    try:
        raise error  # noqa: TRY301  # to give it a traceback
    except Exception as raised:
        return raised


CARRIERS = st.sampled_from(
    [
        Carrier(),
        SECRET.encode(),
        {"phone": SECRET},
        {"deep": [{"name": SECRET}]},
        [Carrier()],
        (SECRET.encode(), 1),
        _raised(ValueError(f"could not read {SECRET}")),
        _raised(KeyError(SECRET)),
    ]
)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[str], str]]:
    """Call it with a format to configure; with "" to get what was written since."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def written(form: str) -> str:
        if form:
            logs.configure(LogSettings.model_validate({"format": form}))
        return capsys.readouterr().err

    yield written
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(carrier=CARRIERS, form=st.sampled_from(["json", "console"]))
def test_nothing_sensitive_is_rendered(
    carrier: object, form: str, lines: Callable[[str], str]
) -> None:
    lines(form)
    structlog.get_logger("agents.some").warning("some_event", thing=carrier, phone=SECRET)
    library = logging.getLogger("faust.some")
    library.warning("it got %r here", carrier)
    if isinstance(carrier, Exception):
        library.error("it failed", exc_info=carrier)
        structlog.get_logger("agents.some").error("some_failure", exc_info=carrier)
    written = lines("")
    assert "some_event" in written
    assert "it got" in written
    assert SECRET not in written


def test_json_lines_say_who_when_and_what(lines: Callable[[str], str]) -> None:
    lines("json")
    structlog.get_logger("agents.some").info("chunk_applied", events=3, topic="bank.core")
    line = json.loads(lines(""))
    assert (line["event"], line["events"], line["topic"]) == ("chunk_applied", 3, "bank.core")
    assert (line["level"], line["logger"]) == ("info", "agents.some")
    assert line["timestamp"].endswith("Z")


def test_an_exception_says_its_kind_and_place(lines: Callable[[str], str]) -> None:
    lines("json")
    logging.getLogger("faust.some").error("it failed", exc_info=_raised(ValueError(SECRET)))
    assert json.loads(lines(""))["exception"].startswith("ValueError < test_logs.py:")


def test_below_the_level_nothing_is_written(lines: Callable[[str], str]) -> None:
    lines("json")
    structlog.get_logger("agents.some").debug("noise")
    assert lines("") == ""


class Odd(Mapping[str, str]):
    """As Faust's stores are before they are started: looking into one raises."""

    def __getitem__(self, key: str) -> str:
        raise AttributeError(key)

    def __iter__(self) -> Iterator[str]:
        raise AttributeError

    def __len__(self) -> int:
        return 1


def test_a_mapping_of_a_librarys_own_is_not_looked_into(lines: Callable[[str], str]) -> None:
    lines("json")
    logging.getLogger("mode").error("Error while stopping child %r", Odd())
    structlog.get_logger().info("stopped", child=Odd())
    told = [json.loads(line) for line in lines("").splitlines()]
    assert told[0]["event"] == "Error while stopping child '<Odd>'"
    assert told[1]["child"] == "<Odd>"
