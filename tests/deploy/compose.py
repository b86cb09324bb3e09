"""docker/compose.yaml as docker-compose reads it, and docker/Dockerfile as far as tests need it."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
SECRET = "/run/secrets/clickhouse_password"
ROLES = ("worker-1", "worker-2", "sink", "bank", "topics", "migrate")


def composed(**environment: str) -> "subprocess.CompletedProcess[str]":
    """`docker-compose config`, with nothing of this shell's but its PATH."""
    command = ["docker-compose", "--file", str(DOCKER / "compose.yaml"), "config"]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )


@cache
def compose() -> dict[str, Any]:
    """The whole file, resolved."""
    told = composed()
    assert told.returncode == 0, told.stderr
    resolved: dict[str, Any] = YAML(typ="safe").load(told.stdout)
    return resolved


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"][name]
    return found


@cache
def dockerfile() -> list[tuple[str, str]]:
    """Its instructions: name and arguments, in order, lines joined."""
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", bare)
    lines = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, arguments.strip()) for name, _, arguments in lines]


def image_environment() -> dict[str, str]:
    """What the image's last stage sets."""
    (arguments,) = (arguments for name, arguments in dockerfile() if name == "ENV")
    return dict(pair.split("=", 1) for pair in arguments.split())


def variables(name: str) -> dict[str, str]:
    """The VIPCARE_ variables that a service's process sees."""
    seen = {**image_environment(), **service(name)["environment"]}
    return {key: value for key, value in seen.items() if key.startswith("VIPCARE_")}
