"""What can be rendered in a tree, by kustomize and by Helm: the roots, who reads what, and what a root lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from gracegate.manifests.discovery import CHART_FILE
from gracegate.manifests.helm import Charts, read_charts
from gracegate.manifests.kustomize import ChartReference
from gracegate.manifests.kustomize_changes import is_plain
from gracegate.manifests.kustomize_roots import Cache, Kustomizations, read_kustomizations
from gracegate.manifests.remote import RemoteReference
from gracegate.model import Limits, RenderRequest, Root, SourceFile, Tree


@dataclass(frozen=True)
class Components:
    """The kustomizations and the charts of a tree."""

    files: Mapping[str, SourceFile]
    kustomizations: Kustomizations
    charts: Charts

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """All that is rendered by itself. A chart that kustomizations inflate is rendered by them."""
        kustomizations = (Root("kustomize", directory) for directory in self.kustomizations.roots)
        charts = (
            Root("helm", directory)
            for directory in self.charts.roots
            if not self.kustomizations.roots_of(f"{directory}/{CHART_FILE}".removeprefix("/"))
        )
        return (*kustomizations, *charts)

    def has(self, root: Root) -> bool:
        """Whether the tree has a kustomization or a chart in the directory of a root."""
        of_kind = self.kustomizations if root.renderer == "kustomize" else self.charts
        return root.directory in of_kind.by_directory

    def roots_of(self, path: str) -> frozenset[Root]:
        """The roots that read a file. A chart that kustomizations inflate is rendered by them."""
        by_kustomize = self.kustomizations.roots_of(path)
        if by_kustomize:
            return frozenset(Root("kustomize", root) for root in by_kustomize)
        return frozenset(Root("helm", root) for root in self.charts.roots_of(path))

    def files_of(self, root: Root) -> frozenset[str]:
        """The files that a root is rendered from; of what a kustomization names some may be missing."""
        if root.renderer == "helm":
            return self.charts.files_of(root.directory)
        return self.kustomizations.closure(root.directory).files

    def object_files(self, root: Root) -> frozenset[str]:
        """Those of its files that a root takes objects and patches from."""
        if root.renderer == "helm":
            return self.charts.files_of(root.directory)
        return self.kustomizations.object_files(root.directory)

    def file_of(self, root: Root) -> str:
        """The file that makes a directory of the tree a root."""
        if root.renderer == "helm":
            return f"{root.directory}/{CHART_FILE}".removeprefix("/")
        return self.kustomizations.by_directory[root.directory].path

    def is_plain(self, root: Root) -> bool:
        """Whether a root makes nothing but what its files have, so that they are evaluated as they are."""
        return root.renderer == "kustomize" and is_plain(self.kustomizations, root.directory)

    def render_request(self, root: Root, replaced: Mapping[str, str] = MappingProxyType({})) -> RenderRequest:
        """How a root is rendered, with the texts `replaced` in the place of those that files of the tree have."""
        return RenderRequest(root, replaced=replaced)

    def missing_parts(self, root: Root) -> frozenset[RemoteReference | ChartReference]:
        """What a root reads and the tree does not have."""
        if root.renderer == "helm":
            return frozenset(self.charts.missing(root.directory))
        closure = self.kustomizations.closure(root.directory)
        return closure.remotes | closure.charts


def read_components(tree: Tree, limits: Limits, cache: Cache | None = None) -> Components:
    """The components of a tree; see `read_kustomizations` for the cache."""
    return Components(tree.files, read_kustomizations(tree, limits, cache), read_charts(tree.files, limits))
