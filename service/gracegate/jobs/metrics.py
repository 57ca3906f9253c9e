"""What workers count. With PROMETHEUS_MULTIPROC_DIR set, as `gracegate serve` does, the web process shows it."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REVIEWS = Counter("gracegate_reviews", "Ended tries of reviews by how they ended", ["outcome"])
SECONDS = Histogram(
    "gracegate_review_seconds", "Duration of one try", buckets=(0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
)
CRASHES = Counter("gracegate_crashes", "Runs taken over from a dead worker")
