"""What workers count. With PROMETHEUS_MULTIPROC_DIR set, as `gracegate serve` does, the web process shows it."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REVIEWS = Counter("gracegate_reviews", "Ended tries of reviews by how they ended", ["outcome"])
REFUSALS = Counter("gracegate_suggestions_refused", "Findings that went out without a suggestion", ["reason"])
COMMENTS = Counter("gracegate_comments", "Review comments posted")
SUGGESTIONS = Counter("gracegate_suggestions", "Suggestions posted")
SECONDS = Histogram(
    "gracegate_review_seconds", "Duration of one try", buckets=(0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
)
CRASHES = Counter("gracegate_crashes", "Runs taken over from a dead worker")
