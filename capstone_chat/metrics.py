"""Figures about a running chat, for Prometheus. They are counted where they happen and read
here."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Metrics(Collector):
    """A registry of its own, so that two chats in one process do not share their figures."""

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
        """Add a figure that goes up and down, read when it is asked for."""
        self._figures.append((GaugeMetricFamily, name, help, read))

    def counter(self, name: str, help: str, read: Callable[[], float]) -> None:
        """Add a figure that only goes up, read when it is asked for."""
        self._figures.append((CounterMetricFamily, name, help, read))

    def counters(
        self, name: str, help: str, label: str, read: Callable[[], Mapping[str, float]]
    ) -> None:
        """Add figures that only go up, one for each value of a label, read when asked for."""
        self._labelled_figures.append((name, help, label, read))

    def collect(self) -> Iterator[Metric]:
        """Read all figures."""
        for family, name, help, read in self._figures:
            yield family(name, help, value=read())  # type: ignore[call-arg]
        for name, help, label, read_all in self._labelled_figures:
            counters = CounterMetricFamily(name, help, labels=[label])
            for value, figure in read_all().items():
                counters.add_metric([value], figure)
            yield counters
