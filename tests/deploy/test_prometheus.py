"""Prometheus takes its configuration, each alert fires when it should, and none watches a ghost."""

import re
import subprocess
from typing import Any

import pytest
from ruamel.yaml import YAML

from schemas.metrics import SINK, WORKER
from tests.deploy.compose import DOCKER, service

PROMETHEUS = DOCKER / "prometheus"
pytestmark = pytest.mark.tool("promtool")


def _read(name: str) -> Any:
    return YAML(typ="safe").load((PROMETHEUS / name).read_text(encoding="utf-8"))


def _rules() -> list[dict[str, Any]]:
    return [rule for group in _read("alerts.yml")["groups"] for rule in group["rules"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
)
def test_promtool(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_every_metric_of_an_alert_and_of_its_test_is_exposed() -> None:
    exposed = {metric.name for metric in (*WORKER, *SINK)}
    exposed |= {f"{one.name}_bucket" for one in (*WORKER, *SINK) if one.kind == "histogram"}
    text = "".join(rule["expr"] for rule in _rules())
    text += (PROMETHEUS / "alerts_test.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"\bvipcare_\w+", text))
    assert len(named) > 10
    assert named <= exposed
    words = " ".join(rule["annotations"]["do"] for rule in _rules())
    assert set(re.findall(r"\bvipcare_\w+", words)) <= exposed


def test_every_alert_is_tried_says_what_to_do_and_how_urgent_it_is() -> None:
    tried = (PROMETHEUS / "alerts_test.yml").read_text(encoding="utf-8")
    for rule in _rules():
        assert rule["alert"] in tried
        assert rule["annotations"].keys() == {"summary", "do"}
        assert rule["labels"]["severity"] in {"page", "ticket"}


@pytest.mark.tool("docker-compose")
def test_its_targets_are_the_services_that_have_metrics() -> None:
    targets = {
        target
        for job in _read("prometheus.yml")["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    }
    assert targets == {f"{name}:9464" for name in ("worker-1", "worker-2", "sink")}
    for target in targets:
        assert service(target.partition(":")[0])["command"][0] in {"worker", "sink"}
