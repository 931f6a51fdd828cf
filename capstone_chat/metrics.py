"""Prometheus metrics of a running chat, read from the objects that count them."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Metrics(Collector):
    """Metrics of one chat, in a registry that other chats in the process do not share."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.request_seconds = Histogram(
            "chat_request_seconds",
            "Time to answer a request, by status",
            ["status"],
            registry=self.registry,
        )
        self._figures: list[tuple[type[Metric], str, str, Callable[[], float]]] = []
        self._labelled_figures: list[tuple[str, str, str, Callable[[], Mapping[str, float]]]] = []

    def gauge(self, name: str, help: str, read: Callable[[], float]) -> None:
        """Add a gauge, whose value is read at each scrape."""
        self._figures.append((GaugeMetricFamily, name, help, read))

    def counter(self, name: str, help: str, read: Callable[[], float]) -> None:
        """Add a counter, whose value is read at each scrape."""
        self._figures.append((CounterMetricFamily, name, help, read))

    def counters(
        self, name: str, help: str, label: str, read: Callable[[], Mapping[str, float]]
    ) -> None:
        """Add a counter with a label, whose values are read at each scrape."""
        self._labelled_figures.append((name, help, label, read))

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics with their current values; Prometheus' registry calls it."""
        for family, name, help, read in self._figures:
            yield family(name, help, value=read())  # type: ignore[call-arg]
        for name, help, label, read_all in self._labelled_figures:
            counters = CounterMetricFamily(name, help, labels=[label])
            for value, figure in read_all().items():
                counters.add_metric([value], figure)
            yield counters
