"""The closed list of metrics, and the page that shows it."""

import re
import urllib.request
from pathlib import Path

import pytest
from prometheus_client import generate_latest

import agents
import config
import schemas
import sinks.metrics
import streams
from schemas import metrics as m
from sinks.metrics import Metrics
from sinks.ops_server import OpsServer

DEFINED = [value for value in vars(m).values() if isinstance(value, m.Metric)]


def test_names_are_unique_and_say_their_unit() -> None:
    names = [metric.name for metric in DEFINED]
    assert len(set(names)) == len(names)
    for metric in DEFINED:
        assert re.fullmatch(r"vipcare_[a-z_]+", metric.name)
        assert metric.help.endswith(".")
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        assert (metric.kind == "histogram") == bool(metric.buckets)


def test_every_metric_belongs_to_a_process() -> None:
    assert sorted(DEFINED) == sorted((*m.WORKER, *m.SINK))


@pytest.mark.parametrize("listed", [m.WORKER, m.SINK], ids=["worker", "sink"])
def test_every_metric_of_a_process_is_shown_and_no_other(listed: tuple[m.Metric, ...]) -> None:
    metrics = Metrics(listed)
    for metric in listed:
        labels = ["x"] * len(metric.labels)
        if metric.kind == "counter":
            metrics.count(metric, 2, *labels)
        elif metric.kind == "gauge":
            metrics.set(metric, 2, *labels)
        else:
            metrics.observe(metric, 2, *labels)
    page = generate_latest(metrics.registry).decode()
    shown = set(re.findall(r"^# HELP (\w+) ", page, re.MULTILINE))
    assert {name for name in shown if not name.endswith("_created")} == {
        metric.name for metric in listed
    }
    with pytest.raises(KeyError):
        metrics.count(m.Metric("vipcare_other_total", "counter", "Not listed."))


def test_no_metric_is_made_outside_the_list() -> None:
    """sinks/metrics.py alone builds metrics, and leaves the library's default registry alone."""
    for package in (agents, config, schemas, sinks, streams):
        for file in Path(package.__path__[0]).rglob("*.py"):
            if file != Path(sinks.metrics.__file__):
                assert "prometheus_client" not in file.read_text(encoding="utf-8"), file


def test_the_server_chooses_a_port_and_lets_it_go() -> None:
    metrics = Metrics(m.WORKER)
    with OpsServer(metrics, "127.0.0.1", 0) as server:
        metrics.set(m.LAG, 3, "bank.core", "0")
        page = urllib.request.urlopen(server.url).read().decode()
        assert 'vipcare_lag{partition="0",topic="bank.core"} 3.0' in page
        metrics.forget(m.LAG)
        assert "vipcare_lag{" not in urllib.request.urlopen(server.url).read().decode()
        with pytest.raises(OSError, match="in use"):
            OpsServer(metrics, "127.0.0.1", server.port)
    with OpsServer(metrics, "127.0.0.1", server.port):
        pass
