"""Prometheus metrics of a running chat, read from the objects that count them."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from capstone_chat.accounts.pictures import Pictures
from capstone_chat.purge import Purge
from capstone_chat.realtime.hub import Hub
from capstone_chat.storage.database import Database


class Metrics(Collector):
    """Metrics of one chat, in a registry that other chats in the process do not share."""

    def __init__(self, database: Database, hub: Hub, pictures: Pictures, purge: Purge) -> None:
        self._database = database
        self._hub = hub
        self._pictures = pictures
        self._purge = purge
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self.request_seconds = Histogram(
            "chat_request_seconds",
            "Time to answer a request, by status",
            ["status"],
            registry=self.registry,
        )

    def collect(self) -> Iterator[Metric]:
        """Yield all other metrics with their current values; called at each scrape."""
        hub, database, pictures, purge = self._hub, self._database, self._pictures, self._purge
        yield GaugeMetricFamily("chat_sockets", "Open connections", len(hub))
        yield CounterMetricFamily("chat_deliveries", "Deliveries of events", hub.delivered)
        yield CounterMetricFamily("chat_writes", "Writes to the database", database.writes)
        yield CounterMetricFamily("chat_commits", "Commits of these writes", database.commits)
        retried = "Conflicts of commits with other processes, each retried at most five times"
        yield CounterMetricFamily("chat_commit_conflicts", retried, database.conflicts)
        being_read = pictures.converting
        yield GaugeMetricFamily("chat_picture_processes", "Pictures being read", being_read)
        memory = "Bytes of memory reserved for uploads"
        yield GaugeMetricFamily("chat_picture_bytes", memory, pictures.reserved)
        rows = "Deleted rows that were unreachable"
        purged = CounterMetricFamily("chat_purged_rows", rows, labels=["kind"])
        for kind, count in purge.deleted.items():
            purged.add_metric([kind], count)
        yield purged
        yield GaugeMetricFamily("chat_purge_seconds", "Duration of the last purge", purge.seconds)
        end = "End of the last purge, in seconds since 1970; 0 before the first"
        yield GaugeMetricFamily("chat_purge_end_seconds", end, purge.finished_at / 1000)
        yield CounterMetricFamily("chat_purge_failures", "Purges that an error ended", purge.failed)
        if broker := hub.broker:
            answers = broker.unhealthy_reason() is None
            yield GaugeMetricFamily("chat_broker_connected", "Redis answers", float(answers))
            sent, received = broker.counts["sent"], broker.counts["received"]
            accepted = "Publications that Redis has accepted"
            yield CounterMetricFamily("chat_broker_sent", accepted, sent)
            yield CounterMetricFamily("chat_broker_received", "Publications of others", received)
