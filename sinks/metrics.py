"""Prometheus metrics built from the closed list, and the page that shows them."""

from collections.abc import Iterable
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from schemas.metrics import Metric


class Metrics:
    """The metrics of one process, in a registry of its own. Names outside the list are errors."""

    def __init__(self, definitions: Iterable[Metric]) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[Metric, Counter] = {}
        self._gauges: dict[Metric, Gauge] = {}
        self._histograms: dict[Metric, Histogram] = {}
        for metric in definitions:
            self._build(metric)

    def _build(self, metric: Metric) -> None:
        name, help_text, labels = metric.name, metric.help, metric.labels
        if metric.kind == "counter":
            self._counters[metric] = Counter(name, help_text, labels, registry=self.registry)
        elif metric.kind == "gauge":
            self._gauges[metric] = Gauge(name, help_text, labels, registry=self.registry)
        else:
            self._histograms[metric] = Histogram(
                name, help_text, labels, registry=self.registry, buckets=metric.buckets
            )

    def count(self, metric: Metric, amount: float = 1, *labels: str) -> None:
        counter = self._counters[metric]
        (counter.labels(*labels) if labels else counter).inc(amount)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        gauge = self._gauges[metric]
        (gauge.labels(*labels) if labels else gauge).set(value)

    def forget(self, metric: Metric) -> None:
        """Drop all label values of a gauge: what it told is no longer this process's business."""
        self._gauges[metric].clear()

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        histogram = self._histograms[metric]
        (histogram.labels(*labels) if labels else histogram).observe(value)


class MetricsServer:
    """`/metrics` on its own thread. `port=0` chooses one; `port` says which it became.

    Raises OSError if the address cannot be taken.
    """

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self._server, self._thread = start_http_server(port, host, registry=metrics.registry)
        self.host = host
        self.port: int = self._server.server_port

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/metrics"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
