"""The workers' counters, at /metrics of `gracegate serve` and of `gracegate worker --bind`."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REVIEWS = Counter("gracegate_reviews", "Attempts at reviews by outcome", ["outcome"])
SECONDS = Histogram(
    "gracegate_review_seconds", "Duration of one attempt", buckets=(0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
)
CRASHES = Counter("gracegate_crashes", "Runs taken over from a dead worker")
