"""Commits of repositories and artifacts of registries, which manifests name: those that are allowed, within limits."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from gracegate.git import PathFilter
from gracegate.model import PinnedSource, RenderSources, Tree
from gracegate.render_sources.artifacts import ArtifactFetcher
from gracegate.render_sources.commits import CommitFetcher
from gracegate.render_sources.nothing import not_fetched

Wanted = Mapping[PinnedSource, Collection[str]]
"""Sources, and the paths of files to read of each whatever their names say."""

_MAX_SOURCES = 50
"""Of one call; kustomizations of large repositories need a few of them each."""
_ALL_SECONDS = 60.0


class SourceFetcher:
    """Fetches what `sources` allow into `folder`, which has nothing else: what a token has fetched must not be found by
    who has none.

    All that it fetches at once has at most `total_bytes`.
    """

    def __init__(
        self,
        folder: Path,
        sources: RenderSources,
        is_candidate: PathFilter,
        total_bytes: int,
        environment: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sources = sources
        self._total_bytes = total_bytes
        self._clock = clock
        self._commits = CommitFetcher(folder, is_candidate, environment)
        self._artifacts = ArtifactFetcher(folder / "artifacts")

    def fetch(self, wanted: Wanted) -> dict[PinnedSource, Tree]:
        """A tree of each source; one without files, with a problem of no file, where it was not fetched."""
        fetched: dict[PinnedSource, Tree] = {}
        left, deadline = self._total_bytes, self._clock() + _ALL_SECONDS
        by_url: defaultdict[str, list[PinnedSource]] = defaultdict(list)
        for number, source in enumerate(sorted(wanted)):
            if not self.sources.allow(source):
                fetched[source] = not_fetched("it is not allowed")
            elif number >= _MAX_SOURCES:
                fetched[source] = not_fetched(f"at most {_MAX_SOURCES} commits and artifacts are fetched")
            else:
                by_url[source.url].append(source)
        for url, sources in by_url.items():
            if self._clock() > deadline:
                trees = dict.fromkeys(sources, not_fetched(f"the others took {_ALL_SECONDS:g} s"))
            elif left <= 0:
                trees = dict.fromkeys(sources, not_fetched(f"the others have {self._total_bytes // 1_000_000} MB"))
            else:
                of_url = {source: wanted[source] for source in sources}
                fetcher = self._artifacts if sources[0].is_artifact else self._commits
                trees = fetcher.fetch(url, of_url, left)
            files = {file.blob: len(file.data) for tree in trees.values() for file in tree.files.values()}
            left = max(0, left - sum(files.values()))
            fetched |= trees
        return fetched
