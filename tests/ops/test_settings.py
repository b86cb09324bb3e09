"""Settings: environment over file over defaults; every error says where and what is meant."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from agents.cli.main import run
from agents.cli.settings import settings as command
from config.catalogue import all_settings
from config.load import SettingsError, load_settings
from config.settings import Settings
from config.settings_table import README, renewed


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in all_settings():
        monkeypatch.delenv(setting.variable, raising=False)
    monkeypatch.delenv("VIPCARE_SETTINGS", raising=False)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "vipcare.yaml"
    monkeypatch.setenv("VIPCARE_SETTINGS", str(path))
    return path


def _problems() -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return caught.value.lines


def test_environment_over_file_over_defaults(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("kafka:\n  bootstrap: file:1\nsink:\n  group: NO\nbank:\n")
    monkeypatch.setenv("VIPCARE_KAFKA__BOOTSTRAP", "environment:2")
    loaded = load_settings()
    assert loaded.kafka.bootstrap == "environment:2"
    assert loaded.sink.group == "NO"
    assert loaded.bank == Settings().bank
    assert loaded.topics.partitions == 4


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "kafka:\n  bootstrp: a:1\n",
            "2: kafka.bootstrp is unknown; did you mean kafka.bootstrap?",
        ),
        ("kafak: {}\n", "1: kafak is unknown; did you mean kafka?"),
        (
            "# shape\ntopics:\n  replication: 3\n  partitions: many\n",
            "4: topics.partitions: input should be a valid integer, "
            "unable to parse string as an integer",
        ),
        ("kafka: [\n", "2: not YAML: something is missing here, such as a value or a bracket"),
        ("log: {}\nlog: {}\n", "2: not YAML: this key stands twice"),
        ("- kafka\n", "1: settings are a mapping of sections, such as `kafka:`"),
        ("a: " + "[" * 3_000, "1: not YAML: it is nested too deeply"),
        (
            "topics:\n  partitions: " + "9" * 5_000,
            "2: not YAML: a value looks like a number, a date",
        ),
        ("clock:\n  rate: 1e300\n", "2: clock.rate: input should be less than or equal to"),
        ("worker:\n  session_timeout_s: .inf\n", "2: worker.session_timeout_s: input should be a"),
        ("kafka: 3\n", "1: kafka is a section: its settings stand below it, indented"),
    ],
)
def test_a_problem_in_the_file_names_its_line(file: Path, text: str, line: str) -> None:
    file.write_text(text)
    [problem] = _problems()
    assert problem.startswith(f"{file}:{line}") or problem.startswith(f"{file}: {line}")


@pytest.mark.parametrize(
    ("key", "bad", "good"),
    [
        ("linger_ms", "60001", "60000"),
        ("merge_wait_ms", "60001", "60000"),
        ("session_timeout_s", "0.9", "1"),
        ("session_timeout_s", "91", "90"),
        ("rebalance_timeout_s", "0.9", "11"),
        ("rebalance_timeout_s", "3601", "119"),
        ("drain_timeout_s", "30", "29"),
        ("chunk_bytes", str(2**30 + 1), str(2**30)),
    ],
)
def test_what_no_worker_can_run_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, key: str, bad: str, good: str
) -> None:
    variable = f"VIPCARE_WORKER__{key.upper()}"
    monkeypatch.setenv(variable, bad)
    [problem] = _problems()
    assert variable in problem
    monkeypatch.setenv(variable, good)
    load_settings()


def test_a_drain_ends_within_a_rebalance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIPCARE_WORKER__REBALANCE_TIMEOUT_S", "10")
    [problem] = _problems()
    assert "drain_timeout_s must be below rebalance_timeout_s, 10 s" in problem


@pytest.mark.parametrize("wait", ["linger_ms", "merge_wait_ms"])
def test_a_chunk_that_waits_is_no_stall(file: Path, wait: str) -> None:
    short = "transaction_timeout_ms: 5000\n  rebalance_timeout_s: 11"
    file.write_text(f"worker:\n  {wait}: 12000\n  {short}\n  stalled_after_s: 12\n")
    [problem] = _problems()
    assert f"stalled_after_s must be longer than {wait}, 12 s" in problem


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ORIGIN": "2026-01-01"}, "set both, origin and started, or neither"),
        ({"STARTED": "2026-01-01"}, "set both, origin and started, or neither"),
        ({"RATE": "60"}, "set origin and started for all processes alike"),
    ],
)
def test_a_clock_is_the_same_for_all_processes(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"VIPCARE_CLOCK__{name}", value)
    [problem] = _problems()
    assert said in problem
    assert "VIPCARE_CLOCK__ORIGIN, VIPCARE_CLOCK__STARTED" in problem
    for name in {"ORIGIN", "STARTED"} - given.keys():
        monkeypatch.setenv(f"VIPCARE_CLOCK__{name}", "2026-01-01")
    load_settings()


@pytest.mark.parametrize("name", ["WORKER__DATA", "WORKER__RULES", "KAFKA__CA_FILE"])
def test_an_empty_path_is_not_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"VIPCARE_{name}", "")
    key = name.lower().replace("__", ".")
    assert _problems() == [f"environment variable VIPCARE_{name}: {key}: it is empty: write a path"]


def test_a_missing_file_and_bytes_that_are_no_text(file: Path) -> None:
    assert _problems() == [f"{file}: No such file or directory (named by VIPCARE_SETTINGS)"]
    file.write_bytes(b"\xff\xfe\x00")
    assert _problems() == [f"{file}: not UTF-8 text (named by VIPCARE_SETTINGS)"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("VIPCARE_KAFKA__BOOTSTRP", "VIPCARE_KAFKA__BOOTSTRAP"),
        ("VIPCARE_BOOTSTRAP", "VIPCARE_KAFKA__BOOTSTRAP"),
        ("VIPCARE_KAFKA", None),
        ("VIPCARE_QQQ", None),
    ],
)
def test_an_unknown_variable(monkeypatch: pytest.MonkeyPatch, name: str, near: str | None) -> None:
    monkeypatch.setenv(name, "1")
    [problem] = _problems()
    assert problem.startswith(f"environment variable {name} is unknown")
    assert near is None or problem.endswith(f"did you mean {near}?")


def test_a_wrong_value_names_its_variable_and_never_the_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VIPCARE_CLICKHOUSE__PORT", "s3cret")
    [problem] = _problems()
    assert problem.startswith("environment variable VIPCARE_CLICKHOUSE__PORT: clickhouse.port:")
    assert "s3cret" not in problem


def test_settings_that_do_not_go_together_are_all_named(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("worker:\n  stalled_after_s: 50\n")
    said = (
        "worker: stalled_after_s must be longer than transaction_timeout_ms, 60 s: look at "
        "VIPCARE_WORKER__STALLED_AFTER_S, VIPCARE_WORKER__TRANSACTION_TIMEOUT_MS"
    )
    assert _problems() == [f"{file}:2: {said}"]
    monkeypatch.setenv("VIPCARE_WORKER__STALLED_AFTER_S", "60")
    assert run(["settings"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"vipcare: settings: environment variable VIPCARE_WORKER__STALLED_AFTER_S: {said}"
    )


def test_no_value_is_refused_without_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {}
    for setting in all_settings():
        with monkeypatch.context() as given:
            given.setenv(setting.variable, "[")
            try:
                load_settings()
            except SettingsError as error:
                told[setting.variable] = error.lines
    assert "VIPCARE_WORKER__LAGGING_TOPICS" in told
    assert all(variable in line for variable, (line,) in told.items())


def test_topics_are_listed_with_commas(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "VIPCARE_WORKER__LAGGING_TOPICS"
    file.write_text("worker:\n  lagging_topics: [bank.app]\n")
    assert load_settings().worker.lagging_topics == ("bank.app",)
    monkeypatch.setenv(variable, "bank.core, bank.card")
    assert load_settings().worker.lagging_topics == ("bank.core", "bank.card")
    shown = CliRunner().invoke(command, catch_exceptions=False)
    assert "  lagging_topics: bank.core,bank.card\n" in shown.output
    monkeypatch.setenv(variable, "")
    assert load_settings().worker.lagging_topics == ()
    monkeypatch.setenv(variable, "bank.core,bank")
    [problem] = _problems()
    assert f"{variable}: worker.lagging_topics: bank is no input topic" in problem


def test_the_command_shows_sources_and_no_secret(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("clickhouse:\n  password: hush1\n")
    login = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "PLAIN", "SASL_USERNAME": "u"}
    for name, value in {**login, "SASL_PASSWORD": "hush2"}.items():
        monkeypatch.setenv(f"VIPCARE_KAFKA__{name}", value)
    monkeypatch.setenv("VIPCARE_BANK__SEED", "11")
    shown = CliRunner().invoke(command, catch_exceptions=False)
    assert shown.exit_code == 0
    assert "hush" not in shown.output
    assert "  seed: 11\n      VIPCARE_BANK__SEED · VIPCARE_BANK__SEED ·" in shown.output
    assert f"VIPCARE_CLICKHOUSE__PASSWORD · {file}:2 ·" in shown.output
    assert shown.output.count("password: (set)") == 2
    assert "VIPCARE_LOG__LEVEL · default ·" in shown.output


def test_the_command_says_no_in_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIPCARE_QQQ", "1")
    monkeypatch.setenv("VIPCARE_QQQQ", "1")
    assert run(["settings"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "vipcare: settings: environment variable VIPCARE_QQQ is unknown",
        "         environment variable VIPCARE_QQQQ is unknown",
    ]


def test_every_setting_is_described_and_in_the_readme() -> None:
    assert [setting.key for setting in all_settings() if not setting.description] == []
    readme = README.read_text(encoding="utf-8")
    assert renewed(readme) == readme, "renew it: python -m config.settings_table"
