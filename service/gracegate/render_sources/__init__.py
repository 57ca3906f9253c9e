"""What manifests name in other places: fetched where the operator allows it, pinned, and without a password of ours."""

from gracegate.render_sources.fetcher import SourceFetcher

__all__ = ["SourceFetcher"]
