"""Artifacts of registries: charts, and manifests that Flux or Argo CD take from there."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gracegate.archives import ArchiveLimits, Download, unpack
from gracegate.errors import RepositoryError
from gracegate.file_cache import FileCache
from gracegate.model import CHART_LAYER, PinnedSource, SourceFile, Tree
from gracegate.render_sources.nothing import not_fetched

if TYPE_CHECKING:
    from gracegate.downloads import ArchiveServers

LOG = logging.getLogger(__name__)

# https://argo-cd.readthedocs.io/en/stable/user-guide/oci/, https://fluxcd.io/flux/components/source/ocirepositories/
_LAYERS = (
    CHART_LAYER,
    "application/vnd.cncf.flux.content.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+gzip",
)

_MAX_BYTES = 20_000_000
"""Of one artifact, packed as well as unpacked. Of the charts of prometheus-community the largest has 7 MB."""
_LIMITS = ArchiveLimits("an artifact", 5_000, _MAX_BYTES)
_SECONDS = 20.0
"""Of one answer of a registry."""
_CACHE_BYTES = 200_000_000


class ArtifactFetcher:
    """Fetches artifacts, and keeps them in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._files = FileCache(folder, _CACHE_BYTES)

    @cached_property
    def _servers(self) -> ArchiveServers:
        from gracegate.downloads import ArchiveServers  # noqa: PLC0415 - the command line may lack its client

        return ArchiveServers(_MAX_BYTES, _SECONDS)

    def fetch(self, url: str, wanted: Mapping[PinnedSource, Collection[str]], left: int) -> dict[PinnedSource, Tree]:
        """The trees of artifacts of one repository of a registry, each of at most `left` bytes; all files of each. See
        SourceFetcher."""
        trees = {}
        for source in wanted:
            try:
                trees[source] = _tree(source, self._download(source), left)
            except RepositoryError as error:
                LOG.warning("cannot fetch %s of %s for rendering: %s", source.revision, url, error)
                trees[source] = not_fetched(error.message)
        return trees

    def _download(self, source: PinnedSource) -> Download:
        name = hashlib.sha256("@".join(source).encode()).hexdigest()
        if kept := self._files.read(name):
            media_type, _, data = kept.partition(b"\n")
            return Download(source.revision, data, media_type.decode())
        try:
            found = self._servers.pull("@".join(source), layers=_LAYERS)
        except ModuleNotFoundError as error:
            raise RepositoryError(f"install `gracegate[app]`, which has the Python package {error.name}") from error
        if found is None:
            raise RepositoryError("the registry gives nothing")
        self._files.write(name, found.media_type.encode() + b"\n" + found.data)
        return found


def _tree(source: PinnedSource, found: Download, left: int) -> Tree:
    files = unpack(found.data, source.url, _is_wanted, _LIMITS)
    if sum(map(len, files.values())) > left:
        raise RepositoryError("what is fetched at once would have too much")
    if found.media_type == CHART_LAYER:
        files = _without_top_folder(files)
    return Tree(
        {path: SourceFile(path, data, hashlib.sha256(data).hexdigest()) for path, data in sorted(files.items())}
    )


def _is_wanted(_path: str) -> bool:
    """Charts read any file, and the archive's size is bounded."""
    return True


def _without_top_folder(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a chart, whose archive has them in one folder. Raises RepositoryError where it has not."""
    tops = {path.partition("/")[0] for path in files}
    if len(tops) != 1 or not tops.isdisjoint(files):
        raise RepositoryError(f"a chart is one folder, and its archive has {len(tops)} files and folders")
    return {path.partition("/")[2]: data for path, data in files.items()}
