"""`GET /metrics`: the counters of this process, or of all processes of `gracegate serve`, and the queue's length."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from gracegate.settings import environment
from gracegate.store import DatabaseUnavailable, Store, runs, sweeps

DELIVERIES = Counter("gracegate_deliveries", "Webhook deliveries by outcome", ["event", "outcome"])


def counts_in_several_processes() -> bool:
    """Whether prometheus-client's own variable names the folder in which all processes keep their counters."""
    return bool(environment().get("PROMETHEUS_MULTIPROC_DIR"))


class QueueDepth(Collector):
    """The length of the queue and the age of the sweeps, from the store; absent while the database is away."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterable[Metric]:
        try:
            with self._store.reading() as tx:
                counts, oldest = runs.queue_depth(tx)
                oldest_sweep = sweeps.oldest_completion(tx)
        except DatabaseUnavailable:
            return
        depth = GaugeMetricFamily("gracegate_runs", "Unfinished reviews by state", labels=["state"])
        for state, count in counts.items():
            depth.add_metric([state], count)
        yield depth
        yield GaugeMetricFamily("gracegate_oldest_run_seconds", "Age of the oldest unfinished review", oldest)
        if oldest_sweep is not None:
            text = "Age of the last complete sweep of the installation that waits longest for the next one"
            yield GaugeMetricFamily("gracegate_oldest_sweep_seconds", text, oldest_sweep)


def blueprint(store: Store) -> Blueprint:
    page = Blueprint("metrics", __name__)
    queue = CollectorRegistry()
    queue.register(QueueDepth(store))
    counters = REGISTRY
    if counts_in_several_processes():
        counters = CollectorRegistry()
        MultiProcessCollector(counters)  # type: ignore[no-untyped-call]

    @page.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(counters) + generate_latest(queue), content_type=CONTENT_TYPE_LATEST)

    return page
