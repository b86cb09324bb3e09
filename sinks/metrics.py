"""Prometheus metrics built from the closed list, and the page that shows them."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app

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

    def page(self) -> Callable[..., Iterable[bytes]]:
        """The page with all of them, as a WSGI application."""
        page: Callable[..., Iterable[bytes]] = make_wsgi_app(self.registry)
        return page
