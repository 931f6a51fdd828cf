"""Figures about a running chat, for Prometheus. They are counted where they happen and read
here."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Metrics(Collector):
    """A registry of its own, so that two chats in one process do not share their figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.requests = Histogram(
            "chat_request_seconds",
            "Time to answer a request, by status",
            ["status"],
            registry=self.registry,
        )
        self._read: list[tuple[type[Metric], str, str, Callable[[], float]]] = []

    def gauge(self, name: str, help: str, read: Callable[[], float]) -> None:
        """Add a figure that goes up and down, read when it is asked for."""
        self._read.append((GaugeMetricFamily, name, help, read))

    def counter(self, name: str, help: str, read: Callable[[], float]) -> None:
        """Add a figure that only goes up, read when it is asked for."""
        self._read.append((CounterMetricFamily, name, help, read))

    def collect(self) -> Iterator[Metric]:
        """Read all figures."""
        for family, name, help, read in self._read:
            yield family(name, help, value=read())  # type: ignore[call-arg]
