"""What reviews count. With PROMETHEUS_MULTIPROC_DIR set, as `gracegate serve` does, the web process shows it."""

from __future__ import annotations

from prometheus_client import Counter

REFUSALS = Counter("gracegate_suggestions_refused", "Findings that went out without a suggestion", ["reason"])
COMMENTS = Counter("gracegate_comments", "Review comments posted")
SUGGESTIONS = Counter("gracegate_suggestions", "Suggestions posted")
