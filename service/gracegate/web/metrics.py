"""`GET /metrics`: what this service counted, all its processes together, and how long the queue is."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from gracegate.settings import environment
from gracegate.store import DatabaseUnavailable, Store, runs

DELIVERIES = Counter("gracegate_deliveries", "Webhook deliveries by what became of them", ["event", "outcome"])

# prometheus-client's own variable: the folder in which all processes of one service keep their counters.
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class QueueDepth(Collector):
    """The queue, read from the store each time it is asked for; left out while the database is away."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterable[Metric]:
        try:
            with self._store.transaction() as tx:
                counts, oldest = runs.depth(tx)
        except DatabaseUnavailable:
            return
        depth = GaugeMetricFamily("gracegate_runs", "Reviews that are not over", labels=["state"])
        for state, count in counts.items():
            depth.add_metric([state], count)
        yield depth
        yield GaugeMetricFamily("gracegate_oldest_run_seconds", "Age of the oldest review that is not over", oldest)


def blueprint(store: Store) -> Blueprint:
    page = Blueprint("metrics", __name__)
    registry = CollectorRegistry()
    registry.register(QueueDepth(store))
    together = CollectorRegistry() if environment().get(MULTIPROCESS) else REGISTRY
    if together is not REGISTRY:
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]

    @page.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(together) + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return page
